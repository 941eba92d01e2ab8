package scenario

import (
	"context"
	"math/rand/v2"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// single asks with segments that stand alone: each is answered by itself, whatever came before.
type single struct {
	*trace
	conn *conn.Conn
	lost int // controls since one was answered
	// alone is set where asking takes so long that flows cannot wait for each other.
	alone bool
	// ask sends one segment of that number and reports whether it was answered. Number 0 is the suspect; a late answer
	// to one sets Delivered.
	ask func(ctx context.Context, part string, number seq.Number) bool
}

// leastLoss is what a block of singles allows for at least.
const leastLoss = 0.01

// The search for suspicion is bounded; where each question takes long, more so.
const (
	mostSingles = 160
	mostAlone   = 40
)

// run asks with the suspect, and if that stays without an answer, whether it is the number.
func (s *single) run(ctx context.Context) {
	if s.env.Pace(ctx, 1) != nil || s.suspect(ctx) || !s.suspicious(ctx) {
		return
	}
	test := func(alpha float64) bool {
		s.confirm(ctx, alpha)
		return s.Convicted()
	}
	if s.alone {
		test(s.env.Alpha)
		return
	}
	s.env.Budget.Spend(ctx, test)
}

func (s *single) suspect(ctx context.Context) bool {
	s.Delivered = s.ask(ctx, "suspect", seq.At(0)) || s.Delivered
	return s.Delivered
}

// control asks with the same segment at another number. Those that are never answered say nothing about the path's loss.
func (s *single) control(ctx context.Context) (answered bool) {
	answered = s.ask(ctx, "control", ordinary())
	s.Elsewhere.Sent++
	if !answered {
		s.Elsewhere.Lost++
		s.lost++
		return false
	}
	s.env.Background.Add(verdict.Count{Sent: 1 + s.lost, Lost: s.lost})
	s.lost = 0
	return true
}

// suspicious puts the suspect between two controls until it is answered, or until losing it so often in a row
// calls for a confirmation.
func (s *single) suspicious(ctx context.Context) bool {
	before, most := false, mostSingles
	if s.alone {
		most = mostAlone
	}
	for range most {
		if s.env.Pace(ctx, 2) != nil || s.conn.Fault() != nil || s.conn.Reset() && s.alone {
			return false
		}
		after := s.control(ctx)
		if before && after {
			s.Sandwich.Sent++
			s.Sandwich.Lost++
		}
		if s.Elsewhere.Lost == s.Elsewhere.Sent && s.Elsewhere.Sent >= verdict.EnoughLost {
			return false
		}
		if verdict.Suspicious(s.Sandwich.Lost, s.env.Background.P0()) {
			return true
		}
		if s.suspect(ctx) {
			return false
		}
		before = after
	}
	return false
}

// confirm sends the randomised block of suspects and controls, which differ in the number alone, and a second one where
// the first stays undecided. Each spends half of alpha.
func (s *single) confirm(ctx context.Context, alpha float64) {
	block := trials{
		suspect:   func() { s.suspect(ctx) },
		beacon:    func() bool { return s.control(ctx) },
		answered:  func(wire.Packet) bool { return false },
		delivered: func() bool { return s.Delivered },
	}
	for range 2 {
		size, ok := verdict.BlockFor(alpha/2, max(s.Elsewhere.Rate(), leastLoss), 1)
		if !ok {
			return
		}
		lost, ok := block.run(ctx, s.conn, s.env.Pace, size)
		if !ok {
			return
		}
		s.Blocks = append(s.Blocks, verdict.Confirmation{Block: size, BeaconsLost: lost, Alpha: alpha / 2})
		if s.Isolated = lost < size.Beacons; s.Convicted() {
			return
		}
	}
}

// ordinary is a number without a property.
func ordinary() seq.Number { return seq.At(1<<20 + rand.Uint32N(1<<31)) }

// synAtZero asks whether a SYN at 0 arrives: every ask is a fresh incarnation of the same 4-tuple.
func synAtZero(ctx context.Context, e *Env) Outcome {
	t := &trace{env: e}
	t.What = "a SYN"
	if c := t.open(ctx, ordinary()); c != nil {
		c.DataAcks = true
		if t.Opening = c.Handshake(ctx, e.Pace); t.answeredSYN() && c.Abort(ctx) {
			s := &single{trace: t, conn: c}
			s.ask = s.syn
			s.run(ctx)
			s.lastSYN(ctx)
		}
		t.end(ctx, c)
	}
	return t.finish(ctx, verdict.SequenceWrap)
}

// syn sends one SYN, and again where something of an older one answers. A SYN-ACK or an RST that acknowledges it shows
// that it arrived; what names another number may be a late copy of an older answer.
func (s *single) syn(ctx context.Context, part string, number seq.Number) bool {
	for range reopenings {
		s.conn.Again(number)
		switch o := s.conn.TrySYN(ctx, part); o.Answer {
		case conn.SynAck:
			s.conn.Abort(ctx)
			return true
		case conn.ResetAnswer:
			return true
		case conn.StaleAck, conn.WrongAck:
			s.Delivered = s.Delivered || o.Wrong == seq.At(1) // the peer knows of an earlier SYN at 0
			s.conn.Clear(o.Wrong)
		default:
			s.conn.Clear(number.Add(1)) // it may be the answer that was lost
			return false
		}
	}
	return false
}

// lastSYN leaves nothing of a SYN whose answer was lost: an answered one and its RST come after it.
func (s *single) lastSYN(ctx context.Context) {
	for i := 0; i < healTries && !s.conn.Reset() && s.conn.Fault() == nil; i++ {
		s.syn(context.WithoutCancel(ctx), "control", ordinary())
	}
}

// answeredSYN reports whether SYNs of the flow arrive and their answers come back.
func (t *trace) answeredSYN() bool {
	return t.Opening.Answer == conn.SynAck || t.Opening.Answer == conn.ResetAnswer
}

// stray is a segment for a closed port. A host answers it with an RST (RFC 9293 section 3.10.7.1).
type stray struct {
	what  string
	flags segment.Flags
	acks  bool   // the number under suspicion is the acknowledgement number
	data  []byte // has the RST to one at 0 acknowledge more than 0
}

// closedPorts are tried until one is closed. They lie above what Linux gives to its own connections.
var closedPorts = []uint16{65534, 65531, 65523}

// atClosedPort asks whether such a segment arrives at a port of the target's host where nothing listens.
func atClosedPort(s stray) Flow {
	return func(ctx context.Context, e *Env) Outcome {
		t := &trace{env: e}
		t.What, t.ByAck = s.what, s.acks
		for _, port := range closedPorts {
			if s.askAt(ctx, t, netip.AddrPortFrom(e.Remote.Addr(), port)) {
				break
			}
		}
		return t.finish(ctx, verdict.ClosedPort)
	}
}

// askAt runs the flow at one port; false if it is open.
func (s stray) askAt(ctx context.Context, t *trace, remote netip.AddrPort) bool {
	c := t.openTo(ctx, remote, ordinary())
	if c == nil {
		return true
	}
	defer t.end(ctx, c)
	c.DataAcks = true
	t.Opening = c.Handshake(ctx, t.env.Pace)
	if s.acks && t.Opening.Answer == conn.NoAnswer {
		t.knock(ctx, c) // the RST that is missing has sequence number 0
	}
	if t.Opening.Answer != conn.ResetAnswer {
		return t.Opening.Answer != conn.SynAck
	}
	one := &single{trace: t, conn: c}
	one.ask = func(ctx context.Context, part string, number seq.Number) bool { return s.ask(ctx, one, part, number) }
	one.run(ctx)
	return true
}

func (s stray) ask(ctx context.Context, one *single, part string, number seq.Number) bool {
	step := conn.Step{Part: part, Flags: s.flags, Seq: &number, Payload: s.data}
	if s.acks {
		at := one.conn.ISS.Add(1)
		step.Seq, step.Ack = &at, &number
	}
	sent := one.conn.Send(step)
	return one.conn.Await(ctx, sent.Add(one.conn.Patience(0)), func(p wire.Packet) bool {
		one.Delivered = one.Delivered || s.answers(p, seq.At(0))
		return s.answers(p, number)
	})
}

// answers reports whether p is the RST that the segment of that number draws.
func (s stray) answers(p wire.Packet, number seq.Number) bool {
	g := p.Segment
	if g == nil || !g.Flags.Has(segment.RST) {
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
