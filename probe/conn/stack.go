// Package conn is a hand-driven TCP endpoint: it owns sequence and acknowledgement numbers, sends what
// a scenario asks for, takes in what the peer says, and ends every connection so that neither the peer
// nor a connection table keeps anything.
package conn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Guard keeps the local kernel away from registered flows. *guard.Guard is the real one.
type Guard interface {
	Add(guard.Flow) error
	Remove(...guard.Flow) error
	Counters(guard.Flow) (guard.Counters, error)
}

// Stack shares one wire among many flows of one source address.
type Stack struct {
	Wire    wire.Wire
	Guard   Guard
	Reserve func(netip.AddrPort) (io.Closer, error)
	Ledger  *ledger.Ledger // nil: nobody takes over after a crash
	Source  netip.Addr
	MTU     int // of the way to the peers, in bytes of IP packet; 0: Ethernet's
	// Recorder is told of every packet; nil: nobody is.
	Recorder Recorder

	sent  atomic.Int64 // segments
	lost  atomic.Int64 // packets that the kernel had dropped before Receive when a flow last asked
	ports portBook
	once  sync.Once
	slots chan struct{} // one for each flow that is guarded
	mu    sync.Mutex
	flows map[guard.Flow]*flow
	quiet []quietFlow // ended, but still guarded against late segments; in the order of their ends
	fault error       // why the stack no longer receives
	// sweeper ends the guarding of quiet flows; nil: there are none.
	sweeper *time.Timer
}

// mostFlows are guarded at the same time; others wait. It is a quarter of what the guard has room for.
const mostFlows = 4096

// ErrNoPort means that every source port was used towards the target within the last two minutes.
var ErrNoPort = errors.New("no source port left towards this target")

// Sent counts the segments that have left.
func (s *Stack) Sent() int { return int(s.sent.Load()) }

// Receive hands arriving packets to their flows until ctx ends or the wire fails.
func (s *Stack) Receive(ctx context.Context) error {
	for {
		p, err := s.Wire.Receive(ctx)
		if err != nil {
			s.stop(err)
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the wire ended with ctx, as it should
			}
			return err
		}
		if f := s.flow(p); f != nil {
			f.take(p)
		}
	}
}

// stop ends the waiting of all flows: nothing will arrive any more.
func (s *Stack) stop(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fmt.Errorf("receive: %w", err)
	for _, f := range s.flows {
		f.inbox.end()
	}
	s.flows = map[guard.Flow]*flow{}
}

// deaf is why nothing arrives any more, or nil.
func (s *Stack) deaf() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

func (s *Stack) flow(p wire.Packet) *flow {
	k := key(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flows[k]
}

// key is the flow that a packet belongs to, as this side sees it.
func key(p wire.Packet) guard.Flow {
	if u := p.Unreachable; u != nil {
		return guard.Flow{Local: u.Source, Remote: u.Destination}
	}
	if p.Outgoing {
		return guard.Flow{Local: p.Segment.Source, Remote: p.Segment.Destination}
	}
	return guard.Flow{Local: p.Segment.Destination, Remote: p.Segment.Source}
}

// open registers a new flow from a random port.
func (s *Stack) open(ctx context.Context, remote netip.AddrPort) (*flow, error) {
	var taken map[uint16]bool
	for {
		port, ok := s.ports.draw(remote, taken)
		if !ok {
			return nil, fmt.Errorf("%s: %w; wait two minutes", remote, ErrNoPort)
		}
		f, err := s.openAt(ctx, netip.AddrPortFrom(s.Source, port), remote)
		if !errors.Is(err, wire.ErrPortTaken) {
			return f, err
		}
		if taken == nil {
			taken = map[uint16]bool{}
		}
		taken[port] = true
		s.ports.forget(port, remote)
	}
}

// openAt registers a new flow: its port is reserved, and the guard knows it, before anything is sent.
func (s *Stack) openAt(ctx context.Context, local, remote netip.AddrPort) (_ *flow, err error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.leave()
		}
	}()
	if err := s.ports.hold(local, s.Reserve); err != nil {
		return nil, outOfFiles(err)
	}
	f := &flow{stack: s, key: guard.Flow{Local: local, Remote: remote}, inbox: newInbox(s.Wire.Behind),
		lostBefore: s.lost.Load()}
	if err := s.register(f); err != nil {
		return nil, errors.Join(err, s.ports.giveBack(local))
	}
	return f, nil
}

// enter waits until there is room for one more flow, which quiet ones make sooner then.
func (s *Stack) enter(ctx context.Context) error {
	s.once.Do(func() { s.slots = make(chan struct{}, mostFlows) })
	for {
		select {
		case s.slots <- struct{}{}:
			return nil
		default:
		}
		if err := s.forget(lastSegments); err != nil {
			return err
		}
		select {
		case s.slots <- struct{}{}:
			return nil
		case <-time.After(lastSegments / 10):
		case <-ctx.Done():
			return fmt.Errorf("wait for other flows to end: %w", ctx.Err())
		}
	}
}

func (s *Stack) leave() { <-s.slots }

// outOfFiles says what to do where a process may hold fewer sockets than a run has flows.
func outOfFiles(err error) error {
	if errors.Is(err, unix.EMFILE) {
		return fmt.Errorf("%w; allow more (ulimit -n), or ask for fewer paths", err)
	}
	return err
}

func (s *Stack) register(f *flow) error {
	if err := s.Guard.Add(f.key); err != nil {
		return fmt.Errorf("register flow %s with the guard: %w", f.key.Local, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return errors.Join(s.fault, s.Guard.Remove(f.key))
	}
	if s.flows == nil {
		s.flows = map[guard.Flow]*flow{}
	}
	s.flows[f.key] = f
	return nil
}

// maximumSegment is the MSS option of a SYN (RFC 9293 section 3.7.1).
func (s *Stack) maximumSegment() uint16 {
	const ethernet, tcp, ipv4, ipv6 = 1500, 20, 20, 40
	headers := tcp + ipv6
	if s.Source.Is4() {
		headers = tcp + ipv4
	}
	return uint16(min(cmp.Or(s.MTU, ethernet), math.MaxUint16) - headers)
}

// defaultMSS is what a peer takes that does not say (RFC 9293 section 3.7.1).
const defaultMSS = 536

// LongestSegment is the most data that a segment may carry: what this side takes and, once it has said so, the peer.
func (c *Conn) LongestSegment() int {
	own := int(c.flow.stack.maximumSegment())
	if !c.established {
		return own
	}
	return min(own, c.peerMSS)
}
