// Package wire sends crafted segments and receives their answers in a network namespace, with kernel timestamps.
package wire

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Wire sends and receives on one device for one address family. Send is safe for concurrent use. Receive must be called
// from one goroutine.
type Wire interface {
	// Send sends s with the mark that lets it pass the guard. It returns the time just before the system call, because on
	// a veth pair the answer can arrive during that call.
	Send(s *segment.Segment) (time.Time, error)
	// Receive waits for the next packet of a registered flow, or until ctx ends.
	Receive(ctx context.Context) (Packet, error)
	// Pending reports whether packets have arrived that Receive has not returned yet. On a busy host the peer may seem
	// silent while its answers wait here.
	Pending() bool
	// Dropped returns how many packets the kernel dropped because Receive's queue was full.
	Dropped() (int, error)
	Close() error
}

// Mark is a packet mark (SO_MARK) that programs on this host can read.
type Mark uint32

// ProberMark is the mark of every segment that a Wire sends. The guard drops RSTs of registered flows without it. It
// does not use the bits of kube-proxy (0xc000), Cilium and Calico (0xffff0f00).
const ProberMark Mark = 0x3054

// SnapLength is how many bytes of a packet a Wire receives at most. This is enough for all headers and for what an ICMP
// error quotes. Answers may be super-packets of 64 KiB, whose data is not needed.
const SnapLength = 256

// Packet is a packet that the tap saw. Exactly one of Segment and Unreachable is set.
type Packet struct {
	// Time is the kernel's receive timestamp without a monotonic reading. If no program on this host used timestamps
	// before, the kernel turns them on in the background, and the first packets have the time of Receive.
	Time        time.Time
	Outgoing    bool // an RST of a registered flow that this host sent without the prober's mark
	Device      int  // index of the device on which it was seen
	OtherDevice bool // which is not the wire's
	Segment     *segment.Segment
	Unreachable *segment.Unreachable
}
