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
	// Behind reports whether packets have arrived that Receive has not returned yet: silence that a busy host makes up.
	Behind() bool
	// Dropped counts the packets that the kernel could not queue for Receive.
	Dropped() (int, error)
	Close() error
}

// Mark is what SO_MARK puts on a packet for programs of this host to see.
type Mark uint32

// ProberMark marks every segment that a Wire sends. The guard lets no other RST of a registered flow
// out. It keeps clear of the bits that kube-proxy (0xc000), Cilium and Calico (0xffff0f00) use.
const ProberMark Mark = 0x3054

// SnapLength is how many bytes of a packet a Wire receives at most: all headers, and more than an ICMP
// error quotes. Answers may be super-packets of 64 KiB, whose data nobody needs.
const SnapLength = 256

// Packet is what the tap saw. Exactly one of Segment and Unreachable is set.
type Packet struct {
	// Time is the kernel's receive timestamp, without a monotonic reading. When nothing on this host had asked for
	// timestamps before, the kernel begins in the background, and the first packets carry the time of Receive.
	Time        time.Time
	Outgoing    bool // an RST of a registered flow that left this host without the prober's mark
	Elsewhere   bool // seen on another device than the wire's, where the guard does not reach
	Segment     *segment.Segment
	Unreachable *segment.Unreachable
}
