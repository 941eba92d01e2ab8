package conn

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// OpenFrom is Open with a given source port: a new incarnation of the 4-tuple of an earlier flow, which must have
// ended. It takes the same path where the port decides.
func (s *Stack) OpenFrom(ctx context.Context, port uint16, remote netip.AddrPort, iss seq.Number) (*Conn, error) {
	local := netip.AddrPortFrom(s.Source, port)
	if err := s.forgetFlow(ctx, guard.Flow{Local: local, Remote: remote}); err != nil {
		return nil, err
	}
	s.ports.mark(port, remote)
	f, err := s.openAt(ctx, local, remote)
	if err != nil {
		s.ports.ended(port, remote)
		return nil, err
	}
	f.books = append(f.books, &s.ports)
	return s.begin(f, iss)
}

// forgetFlow releases the resources of a flow that has ended, before their time. It still waits for late segments.
func (s *Stack) forgetFlow(ctx context.Context, key guard.Flow) error {
	ended, found := s.endOf(key, false)
	if !found {
		return nil
	}
	select {
	case <-time.After(lastSegments - time.Since(ended)):
	case <-ctx.Done():
		return ctx.Err()
	}
	if _, found = s.endOf(key, true); !found { // the sweeper was first
		return nil
	}
	defer s.releaseSlot()
	return errors.Join(s.Guard.Remove(key), s.ports.release(key.Local))
}

// endOf returns when a quiet flow ended, and removes it from the quiet flows if take is set.
func (s *Stack) endOf(key guard.Flow, take bool) (ended time.Time, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.quiet, func(q quietFlow) bool { return q.key == key })
	if i < 0 {
		return time.Time{}, false
	}
	ended = s.quiet[i].ended
	if take {
		s.quiet = slices.Delete(s.quiet, i, i+1)
	}
	return ended, true
}
