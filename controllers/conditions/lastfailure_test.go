package conditions

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/findings"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// lives plays runs five minutes apart: F fails at kn2, p passes on all nodes, n passes while kn2 is not Ready, t passes
// while kn2 is tainted by a tenant, d passes after kn2 was deleted, o passes while kn3 is not Ready, N fails at kn1
// while kn2 is not Ready.
func lives(p *v1alpha1.TCPProbe, runs string) {
	for i, run := range runs {
		at := controllertest.Noon.Add(time.Duration(i) * 5 * time.Minute)
		sources, hosts, change := controllertest.ThreeNodes, controllertest.ThreeNodes, map[string]controllertest.Change{}
		res := &target.Resolved{Service: plantest.Web(), Sources: target.Sources{Matched: 3}}
		lose := func(name, why string, passing bool) {
			without := slices.DeleteFunc(slices.Clone(sources), func(n string) bool { return n == name })
			sources, hosts = without, without
			if why != "" {
				res.Sources.Unable = []target.UnableNode{{Name: name, Why: why, Passing: passing}}
			}
		}
		switch run {
		case 'F':
			change["kn2"] = controllertest.Dropped()
		case 'n', 'N':
			lose("kn2", "is not Ready", true)
			if run == 'N' {
				change["kn1"] = controllertest.Dropped()
			}
		case 't':
			lose("kn2", "has the taint team=red:NoSchedule", false)
		case 'o':
			lose("kn3", "is not Ready", true)
		case 'd':
			lose("kn2", "", false)
		}
		rp := plantest.Example(sources, hosts)
		res.Sources.Planned = sources
		rp.NoteMissing(p, res, schedule.OpenFailure(p))
		Announce(p, res, at)
		Conclude(p, findings.Build(rp, outcometest.From(rp, change), target.Rechecked{}), at)
		schedule.UpdateHealth(p, at)
		Set(p, Observation{}, at)
	}
}

// TestFailureDoesNotEndBecauseItsNodeIsMissing: a node that is cut off takes its own pairs out of the next plan.
func TestFailureDoesNotEndBecauseItsNodeIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		once                 bool
		raiseAfter           int32
		runs, healthy, cover string
	}{
		"passes again":             {false, 1, "Fp", "True AllPassed", "True AllCovered"},
		"not Ready":                {false, 1, "Fn", "False FailedMissing", "False SourcesMissing"},
		"not Ready for long":       {false, 1, "Fnnnn", "False FailedMissing", "False SourcesMissing"},
		"not Ready, then passes":   {false, 1, "Fnp", "True AllPassed", "True AllCovered"},
		"tainted":                  {false, 1, "Ft", "False FailedMissing", "False SourcesMissing"},
		"tainted before it failed": {false, 1, "pt", "True AllPassed", "True AllCovered"},
		"deleted":                  {false, 1, "Fd", "True AllPassed", "True AllCovered"},
		"too few failed":           {false, 3, "pFn", "True BelowRaiseAfter", "False SourcesMissing"},
		"another is missing":       {false, 1, "po", "True AllPassed", "False SourcesMissing"},
		"another for long":         {false, 1, "pooo", "Unknown CoverageLost", "False SourcesMissing"},
		"another after a failure":  {false, 1, "Fo", "True AllPassed", "False SourcesMissing"},
		"once":                     {true, 1, "Fn", "False FailedMissing", "False SourcesMissing"},
		"once, and passes":         {true, 1, "Fnp", "True AllPassed", "True AllCovered"},
	} {
		t.Run(name, func(t *testing.T) {
			p := controllertest.IntervalProbe(healthLimits(c.raiseAfter, 60))
			if c.once {
				p = controllertest.Probe()
			}
			lives(p, c.runs)
			for kind, want := range map[string]string{v1alpha1.ConditionPathHealthy: c.healthy,
				v1alpha1.ConditionCovered: c.cover} {
				got := meta.FindStatusCondition(p.Status.Conditions, kind)
				if s := string(got.Status) + " " + got.Reason; s != want {
					t.Errorf("%s after %s: %s, %q; want %s", kind, c.runs, s, got.Message, want)
				}
				missing := strings.HasSuffix(want, "Missing")
				if missing && !strings.Contains(got.Message, p.Status.Missing[0]) {
					t.Errorf("%s does not name what is missing: %q", kind, got.Message)
				}
			}
		})
	}
}

// TestLastFailureStays: what failed, and when, is known after runs have passed again.
func TestLastFailureStays(t *testing.T) {
	p := controllertest.IntervalProbe()
	lives(p, "pFpp")
	f := p.Status.LastFailure
	if f == nil || f.Number != 2 || f.Affected != "3/9" || f.Reason != "SequenceZeroDropped" ||
		!strings.HasPrefix(f.Message, "node kn2 to 3 of 3 endpoints") || !slices.Equal(f.Nodes, []string{"kn2"}) ||
		f.PassedTime == nil || f.PassedTime.Sub(f.Time.Time) != 5*time.Minute {
		t.Errorf("%+v", f)
	}
	p.Spec.Paths++
	Announce(p, &target.Resolved{Service: plantest.Web()}, controllertest.Noon)
	if p.Status.LastFailure != nil {
		t.Error("another spec keeps it")
	}
}

// TestFailureAddsToWhatIsOpen: what failed before and is missing now stays open beside what fails now.
func TestFailureAddsToWhatIsOpen(t *testing.T) {
	for runs, nodes := range map[string][]string{"FN": {"kn2", "kn1"}, "N": {"kn1"}, "FpN": {"kn1"}} {
		p := controllertest.IntervalProbe()
		lives(p, runs)
		if got := p.Status.LastFailure.Nodes; !slices.Equal(got, nodes) {
			t.Errorf("%s: %v; want %v", runs, got, nodes)
		}
	}
}

// TestFailureOfAPodThatIsNotReady: the endpoint that failed is not waited for once it is deleted.
func TestFailureOfAPodThatIsNotReady(t *testing.T) {
	p := controllertest.Probe()
	failed := &v1alpha1.LastFailure{Pods: []string{"web-3", "web-9"}}
	rp := plantest.Example(controllertest.ThreeNodes, []string{"kn1", "kn2"})
	rp.NoteMissing(p, &target.Resolved{Unready: []string{"web-3", "web-4", ""}}, failed)
	if m := rp.Missing; !m.Failed() || !slices.Equal(m.Pods, []string{"web-3"}) || m.Pairs != 3 ||
		!slices.Equal(m.What, []string{"pod web-3 is not Ready"}) {
		t.Errorf("%+v", m)
	}
}

// TestReplacedNodeIsNotMissing: where sources.max leaves no room, another node probes in its place.
func TestReplacedNodeIsNotMissing(t *testing.T) {
	p := controllertest.Probe()
	p.Spec.Sources.Max = 3
	rp := plantest.Example(controllertest.ThreeNodes, []string{"kn1", "kn2"})
	rp.NoteMissing(p, &target.Resolved{Sources: target.Sources{Planned: controllertest.ThreeNodes,
		Unable: []target.UnableNode{{Name: "kn4", Why: "is not Ready", Passing: true}}}}, nil)
	if rp.Missing != nil {
		t.Errorf("%+v", rp.Missing)
	}
}
