// Package wire moves crafted segments in and out of one network namespace, with kernel timestamps.
package wire

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Wire sends and receives on one device for one address family. Send may be called from many
// goroutines, Receive from one.
type Wire interface {
	// Send puts s on the wire, marked so that the guard lets it out, and returns the time just before
	// the system call: on a veth pair the whole round trip can happen inside it.
	Send(s *segment.Segment) (time.Time, error)
	// Receive blocks for the next packet of a registered flow, or until ctx ends.
	Receive(ctx context.Context) (Packet, error)
	// Dropped counts the packets that the kernel could not queue for Receive.
	Dropped() (int, error)
	Close() error
}

// Packet is what the tap saw. Exactly one of Segment and Unreachable is set.
type Packet struct {
	Time        time.Time // kernel receive timestamp
	Outgoing    bool      // left this host: only RSTs are reported, so that a stray one is seen
	Segment     *segment.Segment
	Unreachable *segment.Unreachable
}
