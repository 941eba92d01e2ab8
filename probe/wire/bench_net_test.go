//go:build net

package wire_test

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// BenchmarkExchange measures sending a segment and receiving and parsing its answer. The answer is an RST of the peer's
// kernel, which costs the peer least. A handshake takes two such exchanges.
func BenchmarkExchange(b *testing.B) {
	l := newLab(b)
	for _, family := range lab.Families {
		b.Run(string(family), func(b *testing.B) {
			c := newClient(b, l, l.Target(family, lab.Echo))
			s := segmentOf(c.flow(), 1, segment.ACK)
			b.ReportAllocs()
			for b.Loop() {
				c.send(s)
				if p, err := c.Receive(b.Context()); err != nil || p.Segment == nil {
					b.Fatal(p, err)
				}
			}
		})
	}
}

// BenchmarkReceive measures receiving from a full queue.
func BenchmarkReceive(b *testing.B) {
	l := newLab(b)
	c := newClient(b, l, l.Target(lab.IPv4, lab.Sink))
	f := c.flow()
	b.ReportAllocs()
	waiting := 0
	for b.Loop() {
		if waiting == 0 {
			b.StopTimer()
			waiting = 2000
			flood(b, l, f, waiting, nil)
			b.StartTimer()
		}
		if _, err := c.Receive(b.Context()); err != nil {
			b.Fatal(err)
		}
		waiting--
	}
}

// BenchmarkSend measures sending to a peer that does not answer.
func BenchmarkSend(b *testing.B) {
	l := newLab(b)
	c := newClient(b, l, l.Target(lab.IPv4, lab.Sink))
	s := segmentOf(c.someFlow(), 1, segment.RST)
	b.ReportAllocs()
	for b.Loop() {
		c.send(s)
	}
}
