package sequencewrap

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Distances beyond 0 at which segments of no connection are sent.
const (
	leastFar = 1 << 10
	mostFar  = 1<<31 - 1<<20
)

// far asks how far what is lost reaches: by segments like the suspect that belong to no connection, each of which the
// host of the peer answers with an RST that has its acknowledgement number (RFC 9293 section 3.5.2).
func (x *wrapTest) far(ctx context.Context) (t verdict.FarTest) {
	t.Alpha = verdict.WrapAlpha(x.alpha)
	n, ok := verdict.EvenBlockFor(t.Alpha, x.beacons.Rate())
	if !ok {
		return t
	}
	state := &flow.State{Env: x.Env}
	c := state.Open(ctx, seq.At(rand.Uint32()))
	if c == nil {
		return t
	}
	asked := &stray{conn: c, flags: x.like, data: x.payload(mostPiece), open: map[seq.Number]int{}}
	for _, suspect := range flow.Shuffled(verdict.Block{Suspects: 2 * n, Beacons: 2 * n}) {
		if x.Env.Pace(ctx, 1) != nil {
			break
		}
		asked.send(suspect)
		c.Drain(asked.answered)
	}
	c.Await(ctx, time.Now().Add(lostAfter), func(p wire.Packet) bool {
		asked.answered(p)
		return len(asked.open) == 0
	})
	if ctx.Err() == nil {
		t.Copies = asked.all
	}
	state.End(ctx, c)
	x.State.Join(state)
	return t
}

// stray sends segments of no connection and recognises the RSTs that answer them.
type stray struct {
	conn  *conn.Conn
	flags segment.Flags
	data  []byte
	all   verdict.Copies
	open  map[seq.Number]int // index in all, by acknowledgement number
}

func (s *stray) send(suspect bool) {
	at, distance := upperHalf(), 0
	if suspect {
		distance = distanceUpTo(leastFar, mostFar)
		at = seq.At(uint32(distance))
	}
	ack := upperHalf()
	s.open[ack] = len(s.all)
	s.all = append(s.all, verdict.Copy{Suspect: suspect, Length: distance, Lost: true})
	s.conn.Send(conn.Step{Part: evidence.UnsolicitedACK, Flags: s.flags, Seq: &at, Ack: &ack,
		Payload: s.data[:1+rand.IntN(mostPiece)]})
}

func (s *stray) answered(p wire.Packet) {
	if p.Segment == nil || !p.Segment.Flags.Has(segment.RST) {
		return
	}
	if i, asked := s.open[p.Segment.Seq]; asked {
		s.all[i].Lost = false
		delete(s.open, p.Segment.Seq)
	}
}
