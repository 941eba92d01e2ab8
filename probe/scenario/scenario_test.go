package scenario

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name  string
		peer  conntest.Listener
		drop  func(*segment.Segment, bool) bool
		shake report.Reason
		wrap  report.Reason
	}{
		{"healthy", conntest.Listener{}, nothing, report.Established, report.Delivered},
		{"names no duplicates", conntest.Listener{NoDSACK: true}, nothing, report.Established, report.Delivered},
		{"deferred accept", conntest.Listener{Deferred: true}, nothing, report.Established, report.Delivered},
		{"queue full", conntest.Listener{QueueFull: true}, nothing, report.AckLostOrQueueFull, report.PathDown},
		{"closed port", conntest.Listener{Closed: true}, nothing, report.Refused, report.PathDown},
		{"closes on the first byte", conntest.Listener{CloseAt: 1}, nothing, report.Established, report.PeerReset},
		{"closes while it is asked", conntest.Listener{Patience: 12}, pushAtZero, report.Established, report.PeerReset},
		{"PSH at 0 dropped", conntest.Listener{}, pushAtZero, report.Established, report.SequenceZeroDropped},
		{"PSH at 0 dropped, no DSACK", conntest.Listener{NoDSACK: true}, pushAtZero, report.Established, report.SequenceZeroDropped},
		{"FIN, PSH, RST at 0 dropped", conntest.Listener{}, finPushResetAtZero, report.Established, report.SequenceZeroDropped},
		{"every PSH dropped", conntest.Listener{}, everyPush, report.Established, report.PathDown},
		{"dead path", conntest.Listener{}, everything, report.Filtered, report.PathDown},
		{"RST at 0 lost on the way back", conntest.Listener{Closed: true}, resetAtZeroBack, report.ReverseRstZeroDropped, report.PathDown},
		{"only SYNs filtered", conntest.Listener{}, synToPeer, report.Filtered, report.PathDown},
	} {
		t.Run(c.name, func(t *testing.T) {
			for scenario, want := range map[string]report.Reason{"Handshake": c.shake, "SequenceWrap": c.wrap} {
				peer := c.peer
				o := flow(t, scenario, &conntest.Bench{Peer: &peer, Path: through(c.drop)})
				if o.Reason != want {
					t.Errorf("%s: %s / %s, want %s\n%s\n%s", scenario, o.Verdict, o.Reason, want, o.Message, strings.Join(o.Evidence, "\n"))
				}
				if peer.Live() != 0 || o.Leaked != 0 {
					t.Errorf("%s: the peer still holds %d connections, the outcome says %d", scenario, peer.Live(), o.Leaked)
				}
			}
		})
	}
}

func resetAtZeroBack(s *segment.Segment, toPeer bool) bool {
	return !toPeer && s.Flags.Has(segment.RST) && s.Seq.IsZero()
}

func synToPeer(s *segment.Segment, toPeer bool) bool { return toPeer && s.Flags == segment.SYN }

// A half-open connection that an earlier flow left repeats its SYN-ACK when the port is used again: another
// port tells that from a path that alters what it carries.
func TestAnAlteredAnswerIsAskedTwice(t *testing.T) {
	for altered, want := range map[int]report.Reason{1: report.Established, 99: report.Altered} {
		path := func() conntest.Path {
			left := altered
			return func(s *segment.Segment, toPeer bool) []time.Duration {
				if left > 0 && s.Flags == segment.SYN|segment.ACK {
					left--
					s.Ack = s.Ack.Add(77)
				}
				return []time.Duration{delay}
			}
		}
		if o := flow(t, "Handshake", &conntest.Bench{Peer: &conntest.Listener{}, Path: path}); o.Reason != want {
			t.Errorf("the first %d SYN-ACKs altered: %s, want %s", altered, o.Reason, want)
		}
	}
}

// Without a working guard there is no verdict, whatever was seen.
func TestUnguardedFlowIsNotJudged(t *testing.T) {
	for name := range Registry {
		if o := flow(t, name, &conntest.Bench{Peer: &conntest.Listener{}, Path: through(pushAtZero), Blind: true}); o.Reason != report.GuardIncomplete {
			t.Errorf("%s: %s, want GuardIncomplete", name, o.Reason)
		}
	}
}

// Nor is there one if the wire failed meanwhile: that nothing came is not the path's silence.
func TestFlowWithoutReceiverIsNotJudged(t *testing.T) {
	for name := range Registry {
		if o := flow(t, name, &conntest.Bench{Peer: &conntest.Listener{QueueFull: true}, Deaf: true}); o.Reason != report.ProberFault {
			t.Errorf("%s: %s / %s, want ProberFault", name, o.Verdict, o.Reason)
		}
	}
}

// More answers than beacons cannot be told apart if the peer names no duplicates: such a block proves nothing.
func TestSurplusAnswersProveNothing(t *testing.T) {
	path := func() conntest.Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			switch {
			case pushAtZero(s, toPeer):
				return nil
			case !toPeer:
				return []time.Duration{delay, delay}
			}
			return []time.Duration{delay}
		}
	}
	o := flow(t, "SequenceWrap", &conntest.Bench{Peer: &conntest.Listener{NoDSACK: true}, Path: path})
	if o.Reason != report.PathLossy {
		t.Errorf("%s, want PathLossy: %s", o.Reason, o.Message)
	}
}

// Loss, bursts and reordering never look like a rule about sequence 0.
func TestLossIsNotBlamedOnSequenceZero(t *testing.T) {
	const flows = 300
	for _, share := range []float64{0.01, 0.05, 0.2} {
		t.Run(fmt.Sprintf("random %.0f %%", share*100), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(share*100)))
			neverConvicts(t, flows, through(random(r, share)))
		})
	}
	t.Run("bursts", func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 2))
		neverConvicts(t, flows, func() conntest.Path { return through(bursts(r, 0.05, 50*time.Millisecond))() })
	})
	t.Run("reordering and duplication", func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 3))
		neverConvicts(t, flows, func() conntest.Path {
			return func(*segment.Segment, bool) []time.Duration {
				out := []time.Duration{delay + time.Duration(r.IntN(20))*time.Millisecond}
				if r.IntN(10) == 0 {
					out = append(out, out[0]+time.Duration(r.IntN(20))*time.Millisecond)
				}
				return out
			}
		})
	})
}

func neverConvicts(t *testing.T, flows int, path func() conntest.Path) {
	got := map[report.Reason]int{}
	for range flows {
		o := flow(t, "SequenceWrap", &conntest.Bench{Peer: &conntest.Listener{}, Path: path})
		got[o.Reason]++
		if o.Reason == report.SequenceZeroDropped {
			t.Fatalf("convicted: %s\n%s", o.Message, strings.Join(o.Evidence, "\n"))
		}
	}
	t.Log(got)
	if got[report.Delivered] < flows*9/10 {
		t.Errorf("%v: fewer than nine of ten flows got through", got)
	}
}

// A deterministic rule is found under loss as well; what cannot be shown is never a Pass.
func TestRuleIsFoundUnderLoss(t *testing.T) {
	const flows = 100
	for _, share := range []float64{0.01, 0.05, 0.2} {
		r := rand.New(rand.NewPCG(4, uint64(share*100)))
		lose := random(r, share)
		got := map[report.Reason]int{}
		for range flows {
			path := through(func(s *segment.Segment, toPeer bool) bool { return pushAtZero(s, toPeer) || lose(s, toPeer) })
			o := flow(t, "SequenceWrap", &conntest.Bench{Peer: &conntest.Listener{}, Path: path})
			got[o.Reason]++
			if o.Verdict == report.Pass {
				t.Fatalf("passed a path that drops PSH at 0:\n%s", strings.Join(o.Evidence, "\n"))
			}
		}
		t.Logf("%.0f %% loss: %v", share*100, got)
		if got[report.SequenceZeroDropped] < flows*97/100 {
			t.Errorf("%.0f %% loss: %v, want nearly all convicted", share*100, got)
		}
	}
}
