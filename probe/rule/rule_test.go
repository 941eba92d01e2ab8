package rule

import (
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
		if _, there := Named(r.AsOther); r.AsOther != "" && !there {
			t.Errorf("%s has AsOther %s, which is not in the table", r.Name, r.AsOther)
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

func TestExplainSaysWhatCuresIt(t *testing.T) {
	push, _ := Named("PushAtZero")
	want := "lost; the rule is PushAtZero, known from ZTE 9900: `anti-dos abnormal enable`, then `disable`, " +
		"or V2.00.00R8P16"
	if got := push.Explain("lost"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	fin, _ := Named("FinAtZero")
	if got := fin.Explain("lost"); got != "lost; the rule is FinAtZero" {
		t.Errorf("%q", got)
	}
	if got := KnownFrom("nobody's"); got != "" {
		t.Errorf("of an unknown rule: %q", got)
	}
	if got := KnownFrom("NoFlagsAtZero"); !strings.HasSuffix(got, "No natural segment is hit") {
		t.Errorf("%q", got)
	}
}

func TestAbout(t *testing.T) {
	if got := About(variant.Across).Name + About(variant.Acknowledgment).Name; got != "StraddlingZeroAckNumberZero" {
		t.Error(got)
	}
}
