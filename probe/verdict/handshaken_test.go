package verdict

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

const ms = time.Millisecond

// A SYN was repeated because it was lost, unless each had its SYN-ACK, or all answers take as long.
func TestRepeatedSYN(t *testing.T) {
	for _, c := range []struct {
		h        Handshaken
		repeated bool
	}{
		{Handshaken{SYNs: 1, SYNACKs: 0, Connect: 1000 * ms}, false},
		{Handshaken{SYNs: 2, SYNACKs: 1, Connect: 1000 * ms, Proved: 10 * ms}, true},
		{Handshaken{SYNs: 2, SYNACKs: 2, Connect: 1000 * ms, Proved: 10 * ms}, false},
		{Handshaken{SYNs: 2, SYNACKs: 1, Connect: 1000 * ms, Proved: 500 * ms}, false},
		{Handshaken{SYNs: 2, SYNACKs: 1, Connect: 1000 * ms, Proved: 499 * ms}, true},
	} {
		if c.h.repeated() != c.repeated {
			t.Errorf("%+v: repeated %t", c.h, !c.repeated)
		}
	}
}

func TestHandshakesAreSummedUp(t *testing.T) {
	if got := Handshakes(nil); got != nil {
		t.Errorf("none: %+v", got)
	}
	all := []Handshaken{{SYNs: 3, SYNACKs: 1, Connect: 3000 * ms}, {SYNs: 1, SYNACKs: 3, Connect: 7 * ms},
		{SYNs: 1, SYNACKs: 0, Connect: 9 * ms}, {SYNs: 1, SYNACKs: 1, Connect: 8 * ms}}
	want := &report.Handshakes{Established: 4, Repeated: 1, SYNsRepeated: 2, SYNACKsRepeated: 2,
		ConnectMicros: report.Delay{Median: 8000, Max: 3_000_000}}
	if d := cmp.Diff(want, Handshakes(all)); d != "" {
		t.Error(d)
	}
	if got := Handshakes(all[:3]).ConnectMicros.Median; got != 9000 {
		t.Errorf("the median of three is %d µs", got)
	}
}

// The note names handshakes that needed more than one SYN, the loss that explains them or not, and the slowest.
func TestHandshakeNote(t *testing.T) {
	some := func(n int, h Handshaken) (all []Handshaken) {
		for range n {
			all = append(all, h)
		}
		return all
	}
	plain := Handshaken{SYNs: 1, SYNACKs: 1, Connect: 999 * ms, Others: Count{2, 0}}
	second := Handshaken{SYNs: 2, SYNACKs: 1, Connect: 999 * ms, Others: Count{2, 0}}
	third := Handshaken{SYNs: 3, SYNACKs: 1, Connect: 999 * ms, Others: Count{3, 1}}
	amongMany := func(others int) []Handshaken {
		return []Handshaken{{SYNs: 2, SYNACKs: 1, Connect: 999 * ms, Others: Count{others, 0}}}
	}
	slow := Handshaken{SYNs: 1, SYNACKs: 1, Connect: 1000 * ms}
	const waits = ". A client's kernel waits 1 s for its second SYN"
	though := func(later string) string {
		return ", though of all later segments only " + later + " got no answer: first SYNs, or their answers, are dropped " +
			"or late" + waits
	}
	for want, all := range map[string][]Handshaken{
		"": some(3, plain),
		"; 1 of 3 handshakes needed more than one SYN" + waits:              append(some(2, plain), second),
		"; 4 of 4 handshakes needed more than one SYN" + though("0 of 12"):  some(4, second),
		"; 8 of 8 handshakes needed more than one SYN" + though("16 of 40"): some(8, third),
		"; 2 of 4 handshakes needed more than one SYN" + waits:              append(some(2, third), some(2, plain)...),
		"; 1 of 1 handshakes needed more than one SYN" + though("0 of 149"): amongMany(148),
		"; 1 of 1 handshakes needed more than one SYN" + waits:              amongMany(73),
		"; the slowest SYN-ACK came 1.0 s after the first SYN":              append(some(2, plain), slow),
	} {
		if got := Note(all); got != want {
			t.Errorf("%s; want\n%s", got, want)
		}
	}
}

func TestSilenceBesideAnICMPError(t *testing.T) {
	f := Finding{Reason: report.Unreachable, Message: "it says"}.BesideSilence(3, 16)
	if want := "it says; 3 of 16 flows got no answer at all"; f.Message != want || f.Reason != report.Unreachable {
		t.Errorf("%s: %s", f.Reason, f.Message)
	}
}
