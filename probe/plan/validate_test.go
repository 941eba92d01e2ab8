package plan

import (
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestExampleIsValid(t *testing.T) {
	if err := example(t).Validate(); err != nil {
		t.Error(err)
	}
}

// unusable has changes that make the example plan invalid.
var unusable = []struct {
	name   string
	change func(*Plan)
	says   string
}{
	{"another version", func(p *Plan) { p.APIVersion = "plan.tcpprobe.dev/v2" }, "this prober reads"},
	{"no run", func(p *Plan) { p.Run = "" }, `run ""`},
	{"a run with a slash", func(p *Plan) { p.Run = "../etc" }, "run"},
	{"a long run", func(p *Plan) { p.Run = strings.Repeat("a", 64) }, "1 to 63"},
	{"a long probe", func(p *Plan) { p.Probe = strings.Repeat("a", 508) }, "probe has 508 bytes"},
	{"another word for the kernel's connections", func(p *Plan) { p.KernelConnections = "On" }, `kernelConnections "On"`},
	{"no paths", func(p *Plan) { p.Paths = 0 }, "paths 0"},
	{"too many paths", func(p *Plan) { p.Paths = 257 }, "paths 257"},
	{"a trickle", func(p *Plan) { p.PacketsPerSecond = 9 }, "packetsPerSecond 9"},
	{"a flood", func(p *Plan) { p.PacketsPerSecond = 2001 }, "packetsPerSecond 2001"},
	{"no deadline", func(p *Plan) { p.DeadlineSeconds = 0 }, "deadlineSeconds 0"},
	{"a deadline too far", func(p *Plan) { p.DeadlineSeconds = 3601 }, "deadlineSeconds 3601"},
	{"no alpha", func(p *Plan) { p.Alpha = 0 }, "alpha 0"},
	{"a careless alpha", func(p *Plan) { p.Alpha = 0.2 }, "alpha 0.2"},
	{"alpha is no number", func(p *Plan) { p.Alpha = math.NaN() }, "alpha NaN"},
	{"no targets", func(p *Plan) { p.Targets = nil }, "0 targets"},
	{"too many targets", func(p *Plan) { p.Targets = targets(MaxTargets + 1) }, "4097 targets"},
	{"a denied target", func(p *Plan) { p.Targets[1].Address = addr("169.254.169.254") },
		"target 1, 169.254.169.254:8080, is never probed: link-local or cloud metadata"},
	{"a target without address", func(p *Plan) { p.Targets[0].Address = netip.Addr{} }, "no address"},
	{"a zone", func(p *Plan) { p.Targets[1].Address = addr("2001:db8::1%eth0") }, "zone"},
	{"port 0", func(p *Plan) { p.Targets[0].Port = 0 }, "port 0"},
	{"no via", func(p *Plan) { p.Targets[0].Via = "" }, "via"},
	{"a long pod name", func(p *Plan) { p.Targets[0].Name = strings.Repeat("a", 254) }, "253 bytes"},
	{"a long node name", func(p *Plan) { p.Targets[0].Node = strings.Repeat("a", 254) }, "253 bytes"},
	{"one target twice", func(p *Plan) { p.Targets[1] = p.Targets[0]; p.Targets[1].Name = "other" },
		"targets 0 and 1 are both 10.244.2.7:8080"},
	{"no scenarios", func(p *Plan) { p.Scenarios = nil }, "0 scenarios"},
	{"too many scenarios", func(p *Plan) { p.Scenarios = scenarios(9) }, "9 scenarios"},
	{"a scenario's bad name", func(p *Plan) { p.Scenarios[0].Name = "a b" }, "name"},
	{"a scenario without type", func(p *Plan) { p.Scenarios[0].Type = "" }, "type"},
	{"a scenario twice", func(p *Plan) { p.Scenarios[1] = p.Scenarios[0] }, `second "Handshake"`},
	{"a name that is another's type", func(p *Plan) { p.Scenarios[1].Name = "Handshake" }, `second "Handshake"`},
	{"too many variants", func(p *Plan) { p.Scenarios[1].Variants = words(17) }, "17 variants"},
	{"a variant in lower case", func(p *Plan) { p.Scenarios[1].Variants[0] = "push" }, `variants "push Fin"`},
	{"a long variant", func(p *Plan) { p.Scenarios[1].Variants[0] = strings.Repeat("A", 64) }, "variants"},
	{"a variant twice", func(p *Plan) { p.Scenarios[1].Variants[1] = "Push" }, "twice"},
	{"a restriction to nobody", func(p *Plan) { p.Scenarios[0].Only = map[string][]int{"kn9": {0}} },
		"which does not have it"},
	{"a restriction to another's target", func(p *Plan) { p.Scenarios[0].Only = map[string][]int{"kn2": {0}} },
		"which does not have it"},
	{"a queue filled by two", func(p *Plan) { p.Scenarios[0] = queue(8) },
		"sources kn1 and kn2 would both fill the accept queue of target 1"},
	{"a long payload", func(p *Plan) { p.Scenarios[1].Payload = strings.Repeat("a", MaxPayload+1) }, "1025 bytes"},
	{"a long payload of escapes", func(p *Plan) { p.Scenarios[1].Payload = strings.Repeat(`\0`, MaxPayload+1) },
		"1025 bytes"},
	{"a wrong escape", func(p *Plan) { p.Scenarios[1].Payload = `a\q` }, `"\\q" is no escape`},
	{"an unknown preset", func(p *Plan) { p.Scenarios[0].PayloadPreset = "Gopher" },
		`payloadPreset "Gopher"; need one of http, tls`},
	{"payload and preset", func(p *Plan) { p.Scenarios[1].PayloadPreset = "http" }, "both payload and payloadPreset"},
	{"no sources", func(p *Plan) { p.Sources = nil }, "0 sources"},
	{"too many sources", func(p *Plan) { p.Sources = sources(MaxSources+1, 0) }, "1001 sources"},
	{"a source with a bad name", func(p *Plan) { p.Sources["kn 1"] = []int{0} }, "no node name"},
	{"a source without targets", func(p *Plan) { p.Sources["kn1"] = nil }, "source kn1 has 0 targets"},
	{"too many targets of a source", func(p *Plan) { p.Targets = targets(129); p.Sources = sources(1, upTo(129)...) },
		"129 targets"},
	{"a target below", func(p *Plan) { p.Sources["kn1"][0] = -1 }, "target -1"},
	{"a target beyond", func(p *Plan) { p.Sources["kn1"][1] = 2 }, "target 2; the plan has 0 to 1"},
	{"a target twice in a source", func(p *Plan) { p.Sources["kn1"][1] = 0 }, "target 0 twice"},
	{"more verdicts than fit", func(p *Plan) { p.enlarge(94, 30) }, "94 targets with 30 checks"},
}

func TestValidateRefuses(t *testing.T) {
	for _, c := range unusable {
		t.Run(c.name, func(t *testing.T) {
			p := example(t)
			c.change(p)
			if err := p.Validate(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v; want one that says %q", err, c.says)
			}
		})
	}
}

func TestValidateAcceptsTheBounds(t *testing.T) {
	for name, change := range map[string]func(*Plan){
		"least": func(p *Plan) { p.Paths, p.PacketsPerSecond, p.DeadlineSeconds = 1, 10, 1 },
		"most": func(p *Plan) {
			p.Paths, p.PacketsPerSecond, p.DeadlineSeconds, p.Alpha = MaxPaths, 2000, MaxDeadline, 0.1
			p.Run, p.Probe = strings.Repeat("a", 63), strings.Repeat("a", 507)
			p.Scenarios[0].PayloadPreset, p.Scenarios[1].Payload = "mongodb", strings.Repeat(`\xff`, MaxPayload)
		},
		"most targets":  func(p *Plan) { p.Targets = targets(MaxTargets) },
		"most sources":  func(p *Plan) { p.Sources = sources(MaxSources, 0, 1) },
		"most verdicts": func(p *Plan) { p.enlarge(128, 22) },
		"one address, two ports, one port, two ways": func(p *Plan) {
			p.Targets[1] = p.Targets[0]
			p.Targets[1].Port++
			p.Targets = append(p.Targets, p.Targets[0])
			p.Targets[2].Via = "ClusterIP"
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := example(t)
			change(p)
			if err := p.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAllowsOnlyTargets(t *testing.T) {
	p := example(t)
	for text, want := range map[string]bool{
		"10.244.2.7:8080": true, "[fd00:10:244:3::9]:8080": true,
		"10.244.2.7:8081": false, "10.244.2.8:8080": false, "[::ffff:10.244.2.7]:8080": false,
	} {
		if got := p.Allows(netip.MustParseAddrPort(text)); got != want {
			t.Errorf("%s: allowed %v", text, got)
		}
	}
}

func TestChecksAreNumberedInTheOrderOfThePlan(t *testing.T) {
	want := []Check{{0, "Handshake", ""}, {1, "SequenceWrap", "Push"}, {1, "SequenceWrap", "Fin"}}
	got := example(t).Checks()
	if len(got) != len(want) {
		t.Fatalf("checks %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("check %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// enlarge gives source kn1 n targets, and the plan so many checks.
func (p *Plan) enlarge(n, checks int) {
	p.Targets, p.Sources = targets(n), sources(1, upTo(n)...)
	p.Scenarios = []Scenario{{Type: "A", Variants: words(checks / 2)}, {Type: "B", Variants: words(checks - checks/2)}}
}

func targets(n int) []Target {
	out := make([]Target, n)
	for i := range out {
		out[i] = Target{Address: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), Port: 80, Via: "PodIP"}
	}
	return out
}

func scenarios(n int) []Scenario {
	out := make([]Scenario, n)
	for i := range out {
		out[i] = Scenario{Type: "T" + strconv.Itoa(i)}
	}
	return out
}

func words(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "V" + strconv.Itoa(i)
	}
	return out
}

func sources(n int, targets ...int) map[string][]int {
	out := make(map[string][]int, n)
	for i := range n {
		out["kn"+strconv.Itoa(i+1)] = targets
	}
	return out
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
