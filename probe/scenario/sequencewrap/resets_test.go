package sequencewrap

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

func pushAtZero(s *segment.Segment) bool { return conntest.PushAtZero(s, true) }

// An RST is called by its segment, and its sender by its hop limit or by the peer, which holds the connection still.
func TestResetsAreToldApart(t *testing.T) {
	const device = ": a device on the way sent it"
	for _, c := range []struct {
		name, variant string
		peer          conntest.Peer
		want          report.Reason
		says          string
	}{
		{"at 0, another hop limit", "Push", &conntest.Resetter{Resets: pushAtZero, HopLimit: 61}, report.ResetAtZero,
			"the RST's hop limit (61) differs from the peer's (63) and the peer held"},
		{"at 0, the same hop limit", "Push", &conntest.Resetter{Resets: pushAtZero, HopLimit: 63}, report.ResetAtZero,
			device},
		{"at 0, to both", "Push", &conntest.Resetter{Peer: &resetPeer{resets: pushAtZero}, Resets: pushAtZero,
			HopLimit: 63, Forwards: true}, report.ResetAtZero, "sent by the peer or something that looks like it"},
		{"at 0, passed on", "Push", &conntest.Resetter{Resets: pushAtZero, HopLimit: 61, Forwards: true}, report.ResetAtZero,
			device},
		{"everything at 0", "Push", &conntest.Resetter{Resets: atZero, HopLimit: 61}, report.ResetAtZero, device},
		{"a FIN at 0", "Fin", &conntest.Resetter{Resets: atZero, HopLimit: 61}, report.ResetAtZero, device},
		{"FIN and data at 0", "PushFin", &conntest.Resetter{Resets: atZero, HopLimit: 61}, report.ResetAtZero, device},
		{"bare ACK at 0", "Ack", &conntest.Resetter{Resets: atZero, HopLimit: 61}, report.ResetAtZero, device},
		{"SYN at 0", "Syn", &conntest.Resetter{Resets: synAtZeroSent, HopLimit: 61}, report.ResetAtZero, device},
		{"final ACK at 0", "HandshakeAck", &conntest.Resetter{Resets: atZero, HopLimit: 61}, report.PeerReset, device},
		{"without a connection", "FinUrgPush", &conntest.Resetter{Resets: atZero, HopLimit: 61}, report.ResetAtZero, device},
		{"without a connection", "Null", &conntest.Resetter{Resets: atZero, HopLimit: 61}, report.ResetAtZero, device},
		{"not this variant", "Data", &conntest.Resetter{Resets: pushAtZero, HopLimit: 61}, report.Delivered, ""},
		{"any data", "Push", &conntest.Resetter{Resets: hasData, HopLimit: 61}, report.PeerReset, device},
		{"long data", "Push", &conntest.Resetter{Resets: longData, HopLimit: 61}, report.PeerReset, device},
		{"short data", "Push", &conntest.Resetter{Resets: shortData, HopLimit: 61}, report.PeerReset, "at another number"},
		{"short data, by the application", "Push", &conntest.Resetter{Peer: &resetPeer{resets: shortData}, Resets: shortData,
			HopLimit: 63, Forwards: true}, report.PeerReset, "the application closes"},
		{"refused", "Ack", &conntest.Listener{Closed: true}, report.PathDown, "refused"},
		{"refused", "Reset", &conntest.Listener{Closed: true}, report.PathDown, "refused"},
		{"refused", "HandshakeAck", &conntest.Listener{Closed: true}, report.PathDown, "refused"},
	} {
		t.Run(c.variant+"/"+c.name, func(t *testing.T) {
			if r, ok := c.peer.(*conntest.Resetter); ok && r.Peer == nil {
				r.Peer = &conntest.Listener{}
			}
			o := flowtest.Run(t, Definition, c.variant, plan.Scenario{}, &conntest.Bench{Peer: c.peer})
			if o.Reason != c.want || !strings.Contains(o.Message, c.says) {
				t.Errorf("%s / %s, want %s\n%s\n%s", o.Verdict, o.Reason, c.want, o.Message, o.Evidence)
			}
			if c.peer.Live() != o.Remains.Left+o.Remains.Unknown || o.Remains != (flow.Remains{}) {
				t.Errorf("the peer holds %d connections, the outcome says %d\n%s", c.peer.Live(), o.Remains, o.Evidence)
			}
		})
	}
}

// A flow that is convicted by RSTs at the error of one that follows says so: the other's conviction may be revoked.
func TestConvictionByResetsFollows(t *testing.T) {
	for _, led := range []bool{false, true} {
		b := &conntest.Bench{Peer: &conntest.Resetter{Peer: &conntest.Listener{}, Resets: pushAtZero, HopLimit: 61}}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			e := flowtest.Env(b)
			if led {
				e.Budget.Convicted()
			}
			if o := Definition.Flow("Push")(ctx, e); o.Reason != report.ResetAtZero || o.Followed != led {
				t.Errorf("another leads: %t: %s, followed %t: %s", led, o.Reason, o.Followed, o.Message)
			}
		})
	}
}

func atZero(s *segment.Segment) bool {
	return s.Seq.IsZero() && !s.Flags.Has(segment.SYN)
}

func synAtZeroSent(s *segment.Segment) bool { return s.Seq.IsZero() && s.Flags.Has(segment.SYN) }

func hasData(s *segment.Segment) bool { return s.PayloadLen() > 1 }

func longData(s *segment.Segment) bool { return s.PayloadLen() > 100 }

func shortData(s *segment.Segment) bool { return hasData(s) && s.PayloadLen() < 10 }

// resetPeer is a peer whose connection some segments end: an application that closes with unread data.
type resetPeer struct {
	conntest.Listener
	resets func(*segment.Segment) bool
}

func (p *resetPeer) Receive(s *segment.Segment) []*segment.Segment {
	out := p.Listener.Receive(s)
	if s.Flags.Has(segment.RST) || !p.resets(s) {
		return out
	}
	for _, answer := range out {
		end := &segment.Segment{Source: s.Source, Destination: s.Destination, Flags: segment.RST, Seq: answer.Ack}
		p.Listener.Receive(end)
	}
	return nil
}

// Resets that come at random, of a device or of an application, are never one at 0.
func TestRandomResetsAreNoMatterOfZero(t *testing.T) {
	for i, share := range []float64{0.1, 0.3, 0.5, 0.8} {
		r := rand.New(rand.NewPCG(uint64(i), 9))
		var hit bool
		random := func(s *segment.Segment) bool { hit = hasData(s) && r.Float64() < share; return hit }
		same := func(*segment.Segment) bool { return hit }
		flowtest.Reasons(t, 150, func(i int) flow.Outcome {
			device := &conntest.Resetter{Peer: &conntest.Listener{}, Resets: random, HopLimit: 61, Forwards: i%3 == 0}
			if i%2 == 0 {
				device = &conntest.Resetter{Peer: &resetPeer{resets: same}, Resets: random, HopLimit: 63, Forwards: true}
			}
			o := check(t, "Push", 1, 500, 0.1, &conntest.Bench{Peer: device})[0]
			if device.Live() > o.Remains.Left+o.Remains.Unknown {
				t.Fatalf("the peer holds %d connections, the outcome says %d\n%s", device.Live(), o.Remains, o.Evidence)
			}
			return o
		}, func(o flow.Outcome) bool { return o.Verdict == report.Fail })
	}
}
