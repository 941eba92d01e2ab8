package flow

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Numbers of segments that must stay without an answer before silence counts.
const (
	ackProbes     = 3
	ackProbeWait  = 300 * time.Millisecond
	ackProbeStart = 12345
	lossProbes    = 16 // ACKs that tell how much the path loses
)

// AckProbe tests whether a port that answers no SYN answers ACKs. A host without such a connection answers an ACK with
// an RST whose sequence number is the ACK's acknowledgement number (RFC 9293 section 3.5.2). It answers a SYN to a
// closed port with an RST at 0. If only RSTs at 0 are lost, the port is closed and the path drops them.
func (s *State) AckProbe(ctx context.Context, c *conn.Conn) {
	k := &ackProber{conn: c, at: seq.At(ackProbeStart), open: map[seq.Number]bool{}}
	for i := 0; i < ackProbes && !s.ResetAny && s.Env.Pace(ctx, 1) == nil; i++ {
		k.beacon()
		s.ResetAny = c.Await(ctx, time.Now().Add(ackProbeWait), k.answered)
	}
	alpha := s.Env.Alpha * verdict.ReverseShare
	size, ok := verdict.BlockFor(alpha, LeastLoss, BeaconsASuspect)
	if !s.ResetAny || !ok {
		return
	}
	block := Trials{Suspect: k.suspect, Beacon: func() bool { k.beacon(); return false }, Answered: k.answered,
		Delivered: func() bool { return k.zero }}
	if lost, ok := block.Run(ctx, c, s.Env.Pace, size); ok {
		s.Reverse = verdict.Confirmation{Block: size, BeaconsLost: lost, Alpha: alpha}
	}
}

// AckLoss tells by ACKs how much the path loses to a port that answers no SYN, and ACKs.
func (s *State) AckLoss(ctx context.Context, c *conn.Conn) {
	k := &ackProber{conn: c, at: seq.At(ackProbeStart), open: map[seq.Number]bool{}}
	n := verdict.Count{}
	for n.Sent < lossProbes && s.Env.Pace(ctx, 1) == nil {
		k.beacon()
		n.Sent++
	}
	n.Lost = n.Sent
	c.Await(ctx, time.Now().Add(Settle), func(p wire.Packet) bool {
		if k.answered(p) {
			n.Lost--
		}
		return n.Lost == 0
	})
	s.Env.Background.Add(n)
}

// ackProber sends ACKs that belong to no connection, and recognises the RSTs that answer them.
type ackProber struct {
	conn *conn.Conn
	at   seq.Number          // the acknowledgement number of the last beacon
	open map[seq.Number]bool // beacons without an answer yet
	zero bool                // an RST with sequence number 0 arrived
}

func (k *ackProber) suspect() { k.ack(seq.At(0)) }

func (k *ackProber) beacon() {
	k.at = k.at.Add(1 + rand.IntN(1000))
	k.open[k.at] = true
	k.ack(k.at)
}

func (k *ackProber) ack(number seq.Number) {
	at := k.conn.ISS.Add(1)
	k.conn.Send(conn.Step{Part: evidence.UnsolicitedACK, Flags: segment.ACK, Seq: &at, Ack: &number})
}

func (k *ackProber) answered(p wire.Packet) bool {
	if p.Segment == nil || !p.Segment.Flags.Has(segment.RST) {
		return false
	}
	at := p.Segment.Seq
	k.zero = k.zero || at.IsZero()
	known := k.open[at]
	delete(k.open, at)
	return known
}
