//go:build net

package labcmd

import (
	"slices"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

const (
	established = "Pass/Established"
	delivered   = "Pass/Delivered"
	zeroDropped = "Fail/SequenceZeroDropped"
)

// verdicts has the expected results for each state of the switch, for both families and both guard modes.
var verdicts = []struct {
	faults          []string
	handshake, wrap string
	dropped         bool // the switch must have dropped packets, or the case shows nothing
}{
	{nil, established, delivered, false},
	{[]string{"push-at-zero"}, established, zeroDropped, true},
	{[]string{"fin-urg-push-at-zero"}, established, zeroDropped, true},
	{[]string{"fin-push-rst-at-zero"}, established, zeroDropped, true},
	{[]string{"push-at-zero@in"}, established, zeroDropped, true},
	{[]string{"push-at-zero@out"}, established, delivered, false},
	{[]string{"fin-urg-push-together-at-zero"}, established, delivered, false},
	{[]string{"push-at-zero", "delay=2ms/1ms", "duplicate=10%"}, established, zeroDropped, true},
	{[]string{"delay=5ms/2ms", "reorder=20%/3ms", "duplicate=10%"}, established, delivered, false},
	{[]string{"every-push"}, established, "Inconclusive/PathDown", true},
	{[]string{"everything"}, "Fail/Filtered", "Inconclusive/PathDown", true},
	{[]string{"everything@out"}, "Fail/Filtered", "Inconclusive/PathDown", true},
}

func TestVerdictUnderEveryFault(t *testing.T) {
	for _, guard := range []string{"tcx", "clsact"} {
		t.Run(guard, func(t *testing.T) {
			t.Parallel()
			s := newTestbed(t, lab.Options{Conntrack: true})
			for _, c := range verdicts {
				t.Run(strings.Join(append(c.faults, "switch"), " "), func(t *testing.T) {
					p, found := probe(t, s, quick(guard), c.faults...)
					expect(t, found, c.handshake, c.wrap)
					if p.Report.Guard.Mode != guard || p.Report.Guard.ResetsDropped != 0 || p.Report.LeakedFlows != 0 {
						t.Errorf("guard %+v, %d flows leaked", p.Report.Guard, p.Report.LeakedFlows)
					}
					if got := dropped(p); (got > 0) != c.dropped {
						t.Errorf("the switch dropped %d packets", got)
					}
				})
			}
			labtest.ExpectNothingLeft(t, s.Lab)
		})
	}
}

func dropped(p probeResult) (sum uint64) {
	for _, c := range p.Switch {
		sum += c.In.Dropped + c.Out.Dropped
	}
	return sum
}

// Whatever the application does with the data, the verdict is about the path, or the result is Inconclusive.
func TestVerdictOnEveryServer(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{Conntrack: true})
	// If the peer closes by itself, it may or may not reset the connection before the verdict, or before controls have
	// shown that the suspect arrives elsewhere.
	const reset, closed = "Inconclusive/PeerReset", "Inconclusive/NotIsolated"
	for _, c := range []struct {
		server        lab.Server
		sound, faulty []string // what SequenceWrap may say through a healthy switch and one with push-at-zero
	}{
		{lab.Echo, []string{delivered}, []string{zeroDropped}},
		{lab.Sink, []string{delivered}, []string{zeroDropped}},
		{lab.Banner, []string{delivered}, []string{zeroDropped}},
		{lab.HalfClose, []string{delivered}, []string{zeroDropped}},
		{lab.Deferred, []string{delivered}, []string{zeroDropped}},
		{lab.BadRequest, []string{delivered, reset}, []string{reset, closed, zeroDropped}},
		{lab.CloseOnAccept, []string{delivered, reset}, []string{reset, closed, zeroDropped}},
	} {
		t.Run(string(c.server), func(t *testing.T) {
			o := quick("")
			o.server = string(c.server)
			_, found := probe(t, s, o)
			expect(t, found, established, c.sound...)
			_, found = probe(t, s, o, "push-at-zero")
			expect(t, found, established, c.faulty...)
		})
	}
	labtest.ExpectNothingLeft(t, s.Lab)
}

// If the accept queue is full because the application stalls, Handshake fails, in either of the two ways in which the
// kernel shows it. There is no verdict about sequence 0.
func TestVerdictOnAFullQueue(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{})
	o := quick("")
	o.server, o.Paths = string(lab.NeverAccepts), 4
	_, found := probe(t, s, o)
	for key, r := range found {
		want := []report.Reason{report.PathDown}
		if r.Scenario == "Handshake" {
			want = []report.Reason{report.AckLostOrQueueFull, report.QueueFullOrSynFiltered}
		}
		if !slices.Contains(want, r.Reason) {
			t.Errorf("%s: %s/%s, want one of %v", key, r.Verdict, r.Reason, want)
		}
	}
}
