package conn_test

import (
	"context"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// flooder is a listener that besides sends one segment after the other, from its SYN-ACK on.
type flooder struct {
	conntest.Listener
	later func(time.Duration, func() []*segment.Segment)
	next  func(synAck segment.Segment, i int) *segment.Segment
	deaf  bool // it answers only the SYN
}

const (
	floodEvery = time.Millisecond
	floodTime  = 3 * time.Second
)

func (f *flooder) Later(later func(time.Duration, func() []*segment.Segment)) { f.later = later }

func (f *flooder) Receive(s *segment.Segment) []*segment.Segment {
	if f.deaf && !s.Flags.Has(segment.SYN) {
		return nil
	}
	out := f.Listener.Receive(s)
	if len(out) > 0 && out[0].Flags.Has(segment.SYN) {
		f.flood(*out[0], 0)
	}
	return out
}

func (f *flooder) flood(synAck segment.Segment, i int) {
	if i < int(floodTime/floodEvery) {
		f.later(floodEvery, func() []*segment.Segment {
			f.flood(synAck, i+1)
			return []*segment.Segment{f.next(synAck, i)}
		})
	}
}

// floods are segments that draw acknowledgements, and such that draw nothing.
var floods = map[string]func(synAck segment.Segment, i int) *segment.Segment{
	"the SYN-ACK again": func(g segment.Segment, _ int) *segment.Segment { return &g },
	"an old byte": func(g segment.Segment, _ int) *segment.Segment {
		return bytesAt(g, g.Seq, 1)
	},
	"bytes in order": func(g segment.Segment, i int) *segment.Segment { return bytesAt(g, g.Seq.Add(1+180*i), 180) },
	"the same bytes": func(g segment.Segment, _ int) *segment.Segment { return bytesAt(g, g.Seq.Add(1), 180) },
	"bytes beyond a gap": func(g segment.Segment, _ int) *segment.Segment {
		return bytesAt(g, g.Seq.Add(9000), 1)
	},
	"keep-alives":  func(g segment.Segment, _ int) *segment.Segment { return bytesAt(g, g.Seq, 0) },
	"bare ACKs":    func(g segment.Segment, _ int) *segment.Segment { return bytesAt(g, g.Seq.Add(1), 0) },
	"out of reach": func(g segment.Segment, _ int) *segment.Segment { return bytesAt(g, g.Seq.Add(1<<20), 100) },
	"a FIN": func(g segment.Segment, _ int) *segment.Segment {
		out := bytesAt(g, g.Seq.Add(1), 0)
		out.Flags |= segment.FIN
		return out
	},
}

func bytesAt(g segment.Segment, at seq.Number, n int) *segment.Segment {
	g.Flags, g.Seq, g.Len, g.SACKPermitted = segment.ACK, at, n, false
	return &g
}

// eachFlood opens a connection to a peer that floods it.
func eachFlood(t *testing.T, test func(t *testing.T, ctx context.Context, b *conntest.Bench, c *conn.Conn)) {
	for name, next := range floods {
		t.Run(name, func(t *testing.T) {
			b := &conntest.Bench{Peer: &flooder{next: next}}
			b.Run(t, func(t *testing.T, ctx context.Context) {
				test(t, ctx, b, dial(t, ctx, b, seq.At(7), conn.SynAck))
			})
		})
	}
}

// slow takes longer for each packet than the next one needs to come.
func slow(wire.Packet) bool {
	time.Sleep(2 * floodEvery)
	return false
}

// What arrived in time is still read after it, and what arrives later is not.
func TestFloodDoesNotProlongWaiting(t *testing.T) {
	eachFlood(t, func(t *testing.T, ctx context.Context, _ *conntest.Bench, c *conn.Conn) {
		start := time.Now()
		c.Await(ctx, start.Add(time.Second), slow)
		if took := time.Since(start); took > 2*time.Second+2*floodEvery {
			t.Errorf("waited %s, want 1 s and as much for what arrived within it", took)
		}
		end, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		start = time.Now()
		c.Await(end, start.Add(time.Minute), slow)
		if took := time.Since(start); took > 100*time.Millisecond+2*floodEvery {
			t.Errorf("waited %s after the end of the context", took-100*time.Millisecond)
		}
		if _, err := c.End(ctx); err != nil {
			t.Error(err)
		}
	})
}

// What arrives while packets are read that wait is not read with them.
func TestFloodDoesNotProlongReading(t *testing.T) {
	eachFlood(t, func(t *testing.T, ctx context.Context, _ *conntest.Bench, c *conn.Conn) {
		const wait = 500 * time.Millisecond
		time.Sleep(wait)
		seen := 0
		c.Drain(func(p wire.Packet) { slow(p); seen++ })
		if most := int(wait/floodEvery) + 1; seen > most {
			t.Errorf("%d packets were read at once, want at most %d", seen, most)
		}
		if _, err := c.End(ctx); err != nil {
			t.Error(err)
		}
	})
}

// ackEvery is the least time between two acknowledgements that nothing else carries.
const ackEvery = 40 * time.Millisecond

func TestFloodDrawsFewAcknowledgements(t *testing.T) {
	eachFlood(t, func(t *testing.T, ctx context.Context, b *conntest.Bench, c *conn.Conn) {
		before := acknowledgements(b)
		c.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return false })
		if n, most := acknowledgements(b)-before, int(time.Second/ackEvery)+1; n > most {
			t.Errorf("%d acknowledgements in 1 s, want at most %d", n, most)
		}
		c.TryTake = func() bool { return false }
		before = acknowledgements(b)
		c.Await(ctx, time.Now().Add(time.Second), func(wire.Packet) bool { return false })
		if n := acknowledgements(b) - before; n != 0 {
			t.Errorf("%d acknowledgements that the rate did not allow", n)
		}
		if _, err := c.End(ctx); err != nil {
			t.Error(err)
		}
	})
}

func acknowledgements(b *conntest.Bench) (n int) {
	for _, s := range b.Wire.Sent() {
		if s.Flags == segment.ACK && s.PayloadLen() == 0 {
			n++
		}
	}
	return n
}

// An end sends a bounded number of segments, each taken from the rate, whatever is said in answer.
func TestFloodDuringTheEnd(t *testing.T) {
	anywhere := func(g segment.Segment, i int) *segment.Segment {
		out := bytesAt(g, g.Seq.Add(1), 0)
		out.Ack = g.Ack.Add(-i % 30000)
		return out
	}
	b := &conntest.Bench{Peer: &flooder{next: anywhere, deaf: true}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c := dial(t, ctx, b, seq.At(7), conn.SynAck)
		taken, before := 0, len(b.Wire.Sent())
		c.Take = func() { taken++ }
		if _, err := c.End(ctx); err != nil {
			t.Error(err)
		}
		if n := len(b.Wire.Sent()) - before; n > 40 || n != taken {
			t.Errorf("the end sent %d segments, %d of them taken from the rate; want at most 40", n, taken)
		}
	})
}

// When the time for the end is over, each connection sends its RST and waits for nothing.
func TestEndWhenItsTimeIsOver(t *testing.T) {
	eachFlood(t, func(t *testing.T, ctx context.Context, b *conntest.Bench, c *conn.Conn) {
		over, cancel := context.WithCancel(ctx)
		b.Stack.Ending = over
		cancel()
		start, before := time.Now(), len(b.Wire.Sent())
		if _, err := c.End(over); err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		sent := b.Wire.Sent()[before:]
		if len(sent) == 0 || len(sent) > 3 || !sent[0].Flags.Has(segment.RST) {
			t.Errorf("sent %v, want an RST and little else", sent)
		}
	})
}

// Packets of a flood wait in a bounded queue, also if it is never empty.
func TestFloodedInboxesAreBounded(t *testing.T) {
	b := &conntest.Bench{Peer: &flooder{next: floods["bare ACKs"]}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c := dial(t, ctx, b, seq.At(7), conn.SynAck)
		c.Send(conn.Step{Part: evidence.Data, Flags: segment.ACK, Payload: []byte("x")})
		time.Sleep(floodTime)
		waiting := 0
		c.Drain(func(wire.Packet) { waiting++ })
		if waiting != 1024 {
			t.Errorf("%d packets wait, want 1024", waiting)
		}
		if e, err := c.End(ctx); err != nil || e.Check.Overflow == 0 || e.Check.Clean() {
			t.Errorf("%+v %v, want packets that were not read in time", e, err)
		}
	})
}
