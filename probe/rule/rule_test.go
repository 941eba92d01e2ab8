package rule

import (
	"slices"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// Every entry is complete, and no two rules drop the same segments.
func TestTableIsComplete(t *testing.T) {
	type shape struct {
		zero  variant.Zero
		flags uint64
	}
	known := map[shape]string{}
	names := map[string]bool{}
	for _, r := range All() {
		if r.Name == "" || r.Fault == "" || r.Drops == "" || names[r.Name] || names[r.Fault] {
			t.Errorf("a part is missing, or the entry is there twice: %+v", r)
		}
		names[r.Name], names[r.Fault] = true, true
		if (r.Flags == nil) == (r.Zero == variant.AtStart) {
			t.Errorf("%s: a rule is about flags at sequence 0 or about another number", r.Name)
		}
		if (r.Devices == "") != (r.Cure == "") {
			t.Errorf("%s: devices %q, cure %q: both or none", r.Name, r.Devices, r.Cure)
		}
		s := shape{zero: r.Zero}
		for f := variant.Flags(0); f < 64 && r.Flags != nil; f++ {
			if r.Flags(f) {
				s.flags |= 1 << f
			}
		}
		if other := known[s]; other != "" {
			t.Errorf("%s and %s drop the same", r.Name, other)
		}
		known[s] = r.Name
	}
}

func TestKnownFrom(t *testing.T) {
	if got := KnownFrom("nobody's") + KnownFrom("FinAtZero"); got != "" {
		t.Errorf("of an unknown rule, and of one that no device is known to have: %q", got)
	}
	if got := KnownFrom("NoFlagsAtZero"); !strings.HasSuffix(got, "No natural segment is hit") {
		t.Errorf("%q", got)
	}
}

// The open class has rules by each set of flags, by length, and by both.
func TestOpenClass(t *testing.T) {
	named := func(name string) variant.Variant { v, _ := variant.Named(name); return v }
	for _, c := range []struct {
		why          string
		lost, arrive []string
	}{
		{"data", []string{"Push", "Data", "PushFin", "Null"}, []string{"Fin", "Ack", "Syn", "FinUrgPush"}},
		{"PSH with data", []string{"Push", "UrgentPush", "PushFin"}, []string{"FinUrgPush", "Data", "Fin"}},
		{"PSH or RST", []string{"Push", "UrgentPush", "PushFin", "FinUrgPush", "Reset"}, []string{"Fin", "Data", "Syn"}},
		{"FIN or data", []string{"Fin", "Push", "Data", "FinUrgPush"}, []string{"Ack", "Reset", "Syn"}},
		{"exactly PSH and ACK", []string{"Push"}, []string{"UrgentPush", "PushFin", "Data"}},
	} {
		if !slices.ContainsFunc(Open(), func(loses func(variant.Variant) bool) bool {
			return !slices.ContainsFunc(c.lost, func(n string) bool { return !loses(named(n)) }) &&
				!slices.ContainsFunc(c.arrive, func(n string) bool { return loses(named(n)) })
		}) {
			t.Errorf("no rule by %s", c.why)
		}
	}
}

func TestAbout(t *testing.T) {
	if got := About(variant.Across).Name + About(variant.Acknowledgment).Name; got != "StraddlingZeroAckNumberZero" {
		t.Error(got)
	}
}
