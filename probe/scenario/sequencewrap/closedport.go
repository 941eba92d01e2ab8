package sequencewrap

import (
	"context"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/variant"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// closedPortSegment is a segment to a closed port. The host answers it with an RST (RFC 9293 section 3.10.7.1).
type closedPortSegment struct {
	what  string
	flags segment.Flags
	acks  bool   // the acknowledgement number is tested, not the sequence number
	data  []byte // makes the RST to a segment at 0 acknowledge more than 0
}

// atClosedPort returns the flow that tests whether such a segment arrives at a closed port of the target's host.
func atClosedPort(v variant.Variant) flow.Func {
	s := closedPortSegment{what: v.Suspect, flags: segment.Flags(v.Flags), acks: v.Zero == variant.Acknowledgment}
	if v.Data {
		s.data = []byte{0}
	}
	return func(ctx context.Context, e *flow.Env) flow.Outcome {
		t := &flow.State{Env: e}
		t.What, t.ByAck = s.what, s.acks
		for _, port := range variant.ClosedPorts {
			if s.askAt(ctx, t, netip.AddrPortFrom(e.Remote.Addr(), port)) {
				break
			}
		}
		return t.Finish(ctx, verdict.ClosedPort)
	}
}

// askAt runs the flow at one port. It returns false if the port is open.
func (s closedPortSegment) askAt(ctx context.Context, t *flow.State, remote netip.AddrPort) bool {
	c := t.OpenTo(ctx, remote, ordinary())
	if c == nil {
		return true
	}
	defer t.End(ctx, c)
	c.DataAcks = true
	t.Opening = c.Handshake(ctx, t.Env.Pace)
	if s.acks && t.Opening.Answer == conn.NoAnswer {
		t.AckProbe(ctx, c) // the missing RST has sequence number 0
	}
	if t.Opening.Answer != conn.ResetAnswer {
		return t.Opening.Answer != conn.SynAck
	}
	one := &standalone{State: t, conn: c}
	one.ask = func(ctx context.Context, part evidence.Part, number seq.Number) bool {
		return s.ask(ctx, one, part, number)
	}
	one.run(ctx)
	return true
}

func (s closedPortSegment) ask(ctx context.Context, one *standalone, part evidence.Part, number seq.Number) bool {
	step := conn.Step{Part: part, Flags: s.flags, Seq: &number, Payload: s.data}
	if s.acks {
		at := one.conn.ISS.Add(1)
		step.Seq, step.Ack = &at, &number
	}
	sent := one.conn.Send(step)
	var drawn *conn.ReceivedReset
	defer func() { one.countReset(part, drawn) }()
	return one.conn.Await(ctx, sent.Add(one.wait()), func(p wire.Packet) bool {
		if r := resetOfAnother(p, one.Opening.HopLimit); r != nil {
			drawn = r
		}
		one.Delivered = one.Delivered || s.answers(p, seq.At(0), one.Opening.HopLimit)
		return s.answers(p, number, one.Opening.HopLimit)
	})
}

// resetOfAnother is an RST whose hop limit is not that of the RST to the SYN: a device on the way sent it.
func resetOfAnother(p wire.Packet, hopLimit uint8) *conn.ReceivedReset {
	g := p.Segment
	if g == nil || !g.Flags.Has(segment.RST) || g.HopLimit == hopLimit {
		return nil
	}
	r := &conn.ReceivedReset{Traits: conn.Traits{HopLimit: g.HopLimit}, On: evidence.Suspect}
	r.Peer.Add(hopLimit)
	return r
}

// answers reports whether p is the RST to the segment with that number. Its hop limit must be that of the RST to the
// SYN: a firewall that rejects such segments is nearer than the host.
func (s closedPortSegment) answers(p wire.Packet, number seq.Number, hopLimit uint8) bool {
	g := p.Segment
	if g == nil || !g.Flags.Has(segment.RST) || g.HopLimit != hopLimit {
		return false
	}
	if s.acks {
		return g.Seq == number && !g.Flags.Has(segment.ACK)
	}
	number = number.Add(len(s.data))
	if s.flags.Has(segment.FIN) {
		number = number.Add(1)
	}
	return g.Flags.Has(segment.ACK) && g.Ack == number
}
