package sequencewrap

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

const (
	peerBytes = 64 // bytes of the peer's suspect and of its controls
	// repeatTime is how long the peer's repetitions are waited for: of a Linux peer near by these are five, after 0.2,
	// 0.6, 1.4, 3.0 and 6.2 s, and a probe of the tail before them.
	repeatTime = 6500 * time.Millisecond
	// peerBeacons are sent in that time, the more the more repetitions the peer makes.
	peerBeacons = 100
	requests    = 6 // how often a request is sent whose answer is missing
)

// peerAsk is one connection in which the peer's numbers come to 0.
type peerAsk struct {
	*flow.State
	conn  *conn.Conn
	found *verdict.PeerSegments
	usual time.Duration // the longest time between a request and its answer, of controls
	late  bool
}

// run has the peer send so many bytes up to 0, and then from there. It returns false if it did not get there.
func (a *peerAsk) run(ctx context.Context, before int) bool {
	for left := before - peerBytes; left > 0; left -= min(left, a.conn.LongestSegment()) {
		if !a.request(ctx, evidence.Request, min(left, a.conn.LongestSegment())) {
			return false
		}
	}
	started := time.Now()
	if !a.request(ctx, evidence.Control, peerBytes) || !a.conn.Received().IsZero() {
		return false
	}
	a.usual = time.Since(started)
	a.found.Asked++
	a.askAtZero(ctx)
	if a.conn.Received().IsZero() {
		a.conn.Skip(seq.At(1)) // an RST that answers 0 has the number 0
	}
	return true
}

// request sends so many bytes, and sends them again while the peer does not answer with as many.
func (a *peerAsk) request(ctx context.Context, part evidence.Part, n int) bool {
	at, want := a.conn.SendNext(), a.conn.Received().Add(n)
	payload := a.Env.Payloads()[0](n)
	answered := func(wire.Packet) bool { return a.conn.Received().AtLeast(want) || a.over() }
	for i := 0; i < requests && !a.over() && a.Env.Pace(ctx, 1) == nil; i++ {
		sent := a.conn.Send(conn.Step{Part: part, Flags: segment.PSH | segment.ACK, Seq: &at, Payload: payload})
		if a.conn.Await(ctx, sent.Add(a.conn.AnswerTimeout(i)), answered) {
			break
		}
	}
	return a.conn.Received() == want && !a.over()
}

func (a *peerAsk) over() bool { return a.conn.Reset() || a.conn.Closed() || a.conn.Fault() != nil }

// askAtZero asks for bytes from 0 on. If they do not come although the peer has sent them, it asks for as many behind
// them, and for as many more that it leaves unacknowledged: how often these come is how often the others were sent.
func (a *peerAsk) askAtZero(ctx context.Context) {
	zero := a.watch(ctx)
	if zero.came > 0 {
		a.late = zero.first > a.lateFrom()
		a.Delivered = !a.late
		if a.late {
			a.found.Late = append(a.found.Late, zero.first)
		}
		return
	}
	hasSent := zero.sent != seq.Number{}
	a.found.Sent = a.found.Sent || hasSent
	if !hasSent || a.conn.Received() != zero.from || ctx.Err() != nil {
		return
	}
	a.conn.Skip(zero.sent)
	if a.Isolated = a.request(ctx, evidence.Control, peerBytes); !a.Isolated {
		return
	}
	a.conn.HoldData = true
	other := a.watch(ctx)
	a.conn.HoldData = false
	a.conn.Skip(other.from.Add(peerBytes))
	valid := zero.beacons.Lost >= 0 && other.beacons.Lost >= 0 // more answers than beacons are not theirs
	if ctx.Err() != nil || a.over() || other.came == 0 || !valid {
		return
	}
	a.Blocks = append(a.Blocks, verdict.Confirmation{
		Block:       verdict.Block{Suspects: other.came, Beacons: zero.beacons.Sent + other.beacons.Sent},
		BeaconsLost: zero.beacons.Lost + other.beacons.Lost, Alpha: a.Env.Alpha})
}

// lateFrom is how long an answer may take that is not late.
func (a *peerAsk) lateFrom() time.Duration { return max(a.conn.AnswerTimeout(1), 3*a.usual) }

// watched is what was seen of the peer's answer to one request.
type watched struct {
	from     seq.Number    // where the answer starts
	at       seq.Number    // where the request starts
	asked    time.Time     // when it was sent first
	came     int           // segments that start where the answer does
	first    time.Duration // from the request to the first of them
	sent     seq.Number    // the peer's acknowledgements have this number, behind the answer; 0: none has
	heard    bool          // the request was acknowledged
	echoes   flow.Echoes
	answered int // beacons
	beacons  verdict.Count
}

// watch sends a request, and beacons for the time of the peer's repetitions, and notes what comes of its answer. It
// ends with the first answer unless that is left unacknowledged on purpose.
func (a *peerAsk) watch(ctx context.Context) watched {
	c := a.conn
	w := watched{from: c.Received(), at: c.SendNext(), echoes: flow.NewEchoes()}
	ask := func() time.Time {
		payload := a.Env.Payloads()[0](peerBytes)
		return c.Send(conn.Step{Part: evidence.Request, Flags: segment.PSH | segment.ACK, Seq: &w.at, Payload: payload})
	}
	if a.Env.Pace(ctx, 1) != nil {
		return w
	}
	w.asked = ask()
	see := func(p wire.Packet) bool {
		w.see(c, p)
		return c.Received() != w.from || a.over()
	}
	repeats := requests - 1
	for _, after := range beaconTimes(a.lateFrom()) {
		if c.Await(ctx, w.asked.Add(after), see) || a.Env.Pace(ctx, 1) != nil {
			return w
		}
		if repeats > 0 && !w.heard {
			ask()
			repeats--
		}
		old := c.ISS.Add(-conn.OldByteOffset)
		w.echoes.Expect(old, 1)
		w.beacons.Sent++
		c.SendBeacon(old, 0)
	}
	c.Await(ctx, w.asked.Add(repeatTime+c.AnswerTimeout(requests)), see)
	w.beacons.Lost = w.beacons.Sent - w.answered
	return w
}

// see notes what a packet shows.
func (w *watched) see(c *conn.Conn, p wire.Packet) {
	g := p.Segment
	switch {
	case g == nil:
		return
	case g.PayloadLen() > 0 && g.Seq == w.from:
		if w.came++; w.came == 1 {
			w.first = max(p.Time.Sub(w.asked), 0)
		}
	case g.Flags == segment.ACK && g.PayloadLen() == 0 && g.Seq.After(w.from):
		w.sent = g.Seq
	}
	if (w.heard || len(g.SACK) > 0) && w.echoes.Take(c, p) {
		w.answered++
	}
	w.heard = w.heard || c.Acked().AtLeast(w.at.Add(peerBytes))
}

// beaconTimes are when beacons are sent, at random: as many in the first second as in the next two, and in the four
// after these. So are the peer's repetitions, and bursts of loss hit both alike.
func beaconTimes(from time.Duration) (all []time.Duration) {
	for range peerBeacons {
		span := math.Log(float64(repeatTime) / float64(from))
		all = append(all, time.Duration(float64(from)*math.Exp(span*rand.Float64())))
	}
	slices.Sort(all)
	return all
}
