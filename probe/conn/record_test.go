package conn_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// notebook keeps all records.
type notebook struct {
	mu      sync.Mutex
	records []conn.Record
}

func (n *notebook) Record(r conn.Record) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.records = append(n.records, r)
}

// The recorder gets exactly the segment that the wire sent, so that building it again gives the same bytes. It has an
// IPv4 identification; without one, a new random one would be used.
func TestRecorderGetsEveryPacket(t *testing.T) {
	b, notes := &conntest.Bench{Peer: &conntest.Listener{}}, &notebook{}
	var lines evidence.Lines
	b.Run(t, func(t *testing.T, ctx context.Context) {
		b.Stack.Recorder = notes
		c, err := b.Stack.Open(ctx, conntest.Remote, seq.At(1<<32-4))
		if err != nil {
			t.Fatal(err)
		}
		c.SetPurpose("Handshake")
		c.Handshake(ctx, conntest.Pace)
		c.Prove(ctx, conntest.Pace, 'G')
		end(t, ctx, b, c)
		lines = c.Evidence()
		if kept := c.Records(); len(kept) != len(lines) {
			t.Errorf("%d records behind %d lines", len(kept), len(lines))
		}
	})
	sent, received := b.Wire.Sent(), 0
	for _, r := range notes.records {
		switch {
		case r.Purpose != "Handshake" || r.Remote != conntest.Remote || r.Time.IsZero():
			t.Errorf("record %+v", r)
		case r.Origin == conn.Peer:
			received++
		case len(sent) == 0 || r.Sent != sent[0] || r.Sent.ID == 0 || r.Part == evidence.NoPart:
			t.Fatalf("recorded %+v, sent %v", r, sent)
		default:
			sent = sent[1:]
		}
	}
	if want := strings.Count(lines.String(), " < "); len(sent) > 0 || received != want || want == 0 {
		t.Errorf("not recorded: %v; %d received packets, want %d", sent, received, want)
	}
}

// A peer or a network that sends endless duplicates does not exhaust the prober's memory.
func TestEvidenceOfAFloodIsBounded(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: func() conntest.Path {
		return func(_ *segment.Segment, toPeer bool) []time.Duration {
			if toPeer {
				return []time.Duration{time.Millisecond}
			}
			return make([]time.Duration, 200)
		}
	}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c := dial(t, ctx, b, seq.At(7), conn.SynAck)
		time.Sleep(time.Second)
		c.Prove(ctx, conntest.Pace, 'G')
		end(t, ctx, b, c)
		if n := len(c.Records()); n > 60 {
			t.Errorf("%d records are kept", n)
		}
		if lines := c.Evidence().String(); !strings.Contains(lines, "more of these") {
			t.Errorf("left out packets are not counted:\n%s", lines)
		}
	})
}
