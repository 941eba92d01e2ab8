//go:build e2e

package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// withEveryVariant has all variants of SequenceWrap.
func withEveryVariant(s *v1alpha1.TCPProbeSpec) {
	withVariants("Push", "UrgentPush", "Data", "Straddle", "Fin", "PushFin", "Ack", "HandshakeAck", "Reset", "Syn",
		"FinUrgPush",
		"Null", "AckZero")(s)
	s.Paths, s.PacketsPerSecond = 4, 1000
}

func withVariants(variants ...v1alpha1.SequenceWrapVariant) func(*v1alpha1.TCPProbeSpec) {
	return func(s *v1alpha1.TCPProbeSpec) {
		s.Scenarios = []v1alpha1.Scenario{{Type: v1alpha1.SequenceWrap,
			SequenceWrap: &v1alpha1.SequenceWrapOptions{Variants: variants}}}
	}
}

// TestEveryVariantOfAHealthyPath: on a healthy path no variant is lost. A machine that is too busy to read all that
// arrives says so, and is asked again.
func TestEveryVariantOfAHealthyPath(t *testing.T) {
	t.Parallel()
	p := newTenant(t).probe(t, withEveryVariant)
	waitForRun(t, p, 1)
	tooBusy := func() bool {
		return condition(p, v1alpha1.ConditionPathHealthy).Reason == string(report.GuardIncomplete)
	}
	for run := int64(2); run <= 4 && tooBusy(); run++ {
		runAgain(t, p, strconv.FormatInt(run, 10))
		waitForRun(t, p, run)
	}
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}

// TestRuleIsNamed: variants that one rule drops are one finding, with reason, variants and rule.
func TestRuleIsNamed(t *testing.T) {
	s := newTenant(t)
	breakCable(t, "kn2", "fin-at-zero")
	p := s.probe(t, withEveryVariant) // fewer leave other rules open
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if len(p.Status.Findings) != 1 {
		t.Fatalf("findings %+v; want one", p.Status.Findings)
	}
	f := p.Status.Findings[0]
	if f.Scope != v1alpha1.ScopeTopology || f.Source != "kn2" || f.Pairs != 8 || f.Rule != "FinAtZero" ||
		f.Alpha == "" || len(f.Evidence) == 0 {
		t.Errorf("finding %+v; want the cable of kn2 and its rule", f)
	}
	if !slices.Equal(f.Variants, []string{"Fin", "PushFin", "FinUrgPush"}) ||
		!strings.Contains(f.Message, "(rule FinAtZero; Push, UrgentPush, Data, Straddle and ") {
		t.Errorf("%v: %s", f.Variants, f.Message)
	}
}

// TestScopes: a fault in one direction of one cable has scope Source or Target. A fault of all cables has scope All.
func TestScopes(t *testing.T) {
	s := newTenant(t)
	p := s.probe(t, withVariants("Push"), withFamily("IPv4"))
	waitForRun(t, p, 1)
	for i, c := range []struct {
		name, fault, scope string
		cables             []string
	}{
		{"from a node", "push-at-zero@in", v1alpha1.ScopeSource, []string{"kn2"}},
		{"to a pod", "push-at-zero@out", v1alpha1.ScopeTarget, []string{"kn2"}},
		{"everywhere", "push-at-zero", v1alpha1.ScopeAll, []string{"kn1", "kn2", "kn3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, node := range c.cables {
				breakCable(t, node, c.fault)
			}
			runAgain(t, p, c.scope)
			waitForRun(t, p, int64(i+2))
			expectHealth(t, p, metav1.ConditionFalse, string(report.SequenceZeroDropped))
			f := p.Status.Findings
			if len(f) != 1 || f[0].Scope != c.scope || f[0].Scope == v1alpha1.ScopeSource && f[0].Source != "kn2" {
				t.Fatalf("findings %+v; want one of scope %s", f, c.scope)
			}
			if c.scope == v1alpha1.ScopeTarget && !strings.HasPrefix(f[0].Target, s.server(t, "kn2").Status.PodIP+":") {
				t.Errorf("target %s is not the server of kn2", f[0].Target)
			}
		})
	}
}

// TestOneOfManyPaths: if one of the switch's four members is bad, the finding has the share of bad paths and their
// ports.
func TestOneOfManyPaths(t *testing.T) {
	s := newTenant(t)
	breakCable(t, "kn2", "ecmp=4/1:push-at-zero@out")
	p := s.probe(t, withVariants("Push"), withFamily("IPv4"), fromNodes("kn1"),
		func(s *v1alpha1.TCPProbeSpec) { s.Paths, s.PacketsPerSecond = 48, 1000 })
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	share := p.Status.Findings[0].Share
	if share == nil || share.Failed < 1 || share.Failed > 30 || share.Of != 48 || len(share.Ports) == 0 {
		t.Errorf("share %+v; want about 12 of 48 paths, and ports that take them", share)
	}
}
