//go:build guest

package guest

import (
	"context"
	"encoding/binary"
	"io"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// link is the connection to one guest. It carries Ethernet frames, so this machine's kernel receives no segment and
// answers none. So link is the guard too, and has nothing to keep away.
type link struct {
	frames *os.File       // one datagram is one frame
	views  map[bool]*view // by whether it is IPv6

	sending sync.Mutex
	builder segment.Builder

	counting sync.Mutex
	taken    map[guard.Flow]uint64
}

// queued is how many packets may wait for a stack to receive them.
const queued = 1 << 14

func newLink(frames *os.File) *link {
	l := &link{frames: frames, taken: map[guard.Flow]uint64{}}
	l.views = map[bool]*view{false: {l, make(chan wire.Packet, queued)}, true: {l, make(chan wire.Packet, queued)}}
	go l.read()
	return l
}

// EtherTypes.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
)

func (l *link) Send(s *segment.Segment) (time.Time, error) {
	l.sending.Lock()
	defer l.sending.Unlock()
	packet, err := l.builder.IP(s)
	if err != nil {
		return time.Time{}, err
	}
	frame := append(append([]byte(nil), GuestMAC...), TestMAC...)
	kind := uint16(etherIPv4)
	if s.Source.Addr().Is6() {
		kind = etherIPv6
	}
	frame = append(binary.BigEndian.AppendUint16(frame, kind), packet...)
	now := time.Now()
	_, err = l.frames.Write(frame)
	return now, err
}

// read hands arriving segments to the family's view until the link is closed.
func (l *link) read() {
	frame := make([]byte, 65536)
	for {
		n, err := l.frames.Read(frame)
		if err != nil {
			return
		}
		s, _, err := segment.Parse(frame[:n], segment.Ethernet, n)
		if err != nil || s == nil {
			continue
		}
		l.count(guard.Flow{Local: s.Destination, Remote: s.Source})
		l.views[s.Destination.Addr().Is6()].in <- wire.Packet{Time: time.Now(), Segment: s}
	}
}

// view is the link as the wire.Wire of one family.
type view struct {
	*link
	in chan wire.Packet
}

func (v *view) Receive(ctx context.Context) (wire.Packet, error) {
	select {
	case p := <-v.in:
		return p, nil
	case <-ctx.Done():
		return wire.Packet{}, ctx.Err()
	}
}

func (v *view) Pending() bool { return false }

func (v *view) Dropped() (int, error) { return 0, nil }
func (v *view) Close() error          { return nil }

func (l *link) count(f guard.Flow) {
	l.counting.Lock()
	defer l.counting.Unlock()
	if _, known := l.taken[f]; known {
		l.taken[f]++
	}
}

func (l *link) Add(f guard.Flow) error {
	l.counting.Lock()
	defer l.counting.Unlock()
	l.taken[f] = 0
	return nil
}

func (l *link) Remove(all ...guard.Flow) error {
	l.counting.Lock()
	defer l.counting.Unlock()
	for _, f := range all {
		delete(l.taken, f)
	}
	return nil
}

func (l *link) Counters(f guard.Flow) (guard.Counters, error) {
	l.counting.Lock()
	defer l.counting.Unlock()
	return guard.Counters{Stolen: l.taken[f]}, nil
}

// reserve reserves no port for a conn.Stack: nothing else sends on this link.
func reserve(netip.AddrPort) (io.Closer, error) { return free{}, nil }

type free struct{}

func (free) Close() error { return nil }
