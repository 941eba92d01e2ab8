// Package conn is a TCP endpoint whose segments the caller chooses. It keeps sequence and acknowledgement numbers,
// sends the segments that a scenario asks for, and processes those of the peer. It ends every connection so that no
// state is left at the peer or in connection tracking.
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

// Guard hides registered flows from the local kernel. *guard.Guard implements it.
type Guard interface {
	Add(guard.Flow) error
	Remove(...guard.Flow) error
	Counters(guard.Flow) (guard.Counters, error)
}

// Stack runs many flows from one source address over one wire.
type Stack struct {
	Wire    wire.Wire
	Guard   Guard
	Reserve func(netip.AddrPort) (io.Closer, error)
	Ledger  *ledger.Ledger // may be nil; then no process takes over after a crash
	Source  netip.Addr
	MTU     int // MTU of the path to the peers; 0: Ethernet's
	// Elsewhere reports whether answers to a flow that come in by the device of that index are taken, though it left by
	// another one. The device has a guard then. nil: none are.
	Elsewhere func(f guard.Flow, device int) bool
	// Ending is over when flows must have been ended: they then send their last RST and wait for nothing. nil: never.
	Ending context.Context //nolint:containedctx // of the stack, not of a call
	// Recorder gets every packet; may be nil.
	Recorder Recorder

	proofs     proofs
	returns    returns
	roundTrips roundTrips

	sent  atomic.Int64 // segments
	lost  atomic.Int64 // kernel drops that were counted when a flow last asked
	queue atomic.Int64 // packets that wait in all inboxes
	read  atomic.Int64 // when the last packet that was delivered had arrived, in nanoseconds since 1970
	ports portTable
	once  sync.Once
	slots chan struct{} // one element for each flow that is registered with the guard
	mu    sync.Mutex
	flows map[guard.Flow]*flow
	quiet []quietFlow // flows that have ended and are still registered, in the order of their ends
	fault error       // set when the stack has stopped receiving
	// sweeper unregisters quiet flows; nil if there are none.
	sweeper *time.Timer
}

// maxFlows is how many flows may be registered at the same time. Further ones wait. It is a quarter of the guard's
// capacity.
const maxFlows = 4096

// ErrNoPort means that every source port was used towards the target within the last two minutes.
var ErrNoPort = errors.New("no source port left towards this target")

// Sent counts the segments that have left.
func (s *Stack) Sent() int { return int(s.sent.Load()) }

// Receive delivers arriving packets to their flows until ctx ends or the wire fails.
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
		s.read.Store(p.Time.UnixNano())
	}
}

// pending reports whether packets that arrived by that time may not be in an inbox yet.
func (s *Stack) pending(by time.Time) bool { return s.read.Load() <= by.UnixNano() && s.Wire.Pending() }

// stop ends the waiting of all flows because no further packet will arrive.
func (s *Stack) stop(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fmt.Errorf("receive: %w", err)
	for _, f := range s.flows {
		f.inbox.end()
	}
	s.flows = map[guard.Flow]*flow{}
}

// EndContext is the context in which flows are ended. It outlasts that of their questions.
func (s *Stack) EndContext() context.Context {
	if s.Ending == nil {
		return context.Background()
	}
	return s.Ending
}

// overdue reports whether flows must have been ended by now.
func (s *Stack) overdue() bool { return s.EndContext().Err() != nil }

// receiveError returns the error that stopped the stack's receiver, or nil.
func (s *Stack) receiveError() error {
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

// key returns the flow of a packet with Local on this host.
func key(p wire.Packet) guard.Flow {
	if u := p.Unreachable; u != nil {
		return guard.Flow{Local: u.Source, Remote: u.Destination}
	}
	if p.Outgoing {
		return guard.Flow{Local: p.Segment.Source, Remote: p.Segment.Destination}
	}
	return guard.Flow{Local: p.Segment.Destination, Remote: p.Segment.Source}
}

// openAt reserves the port and registers the flow with the guard. Both happen before anything is sent.
func (s *Stack) openAt(ctx context.Context, local, remote netip.AddrPort) (_ *flow, err error) {
	if err := s.acquireSlot(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.releaseSlot()
		}
	}()
	if err := s.ports.hold(local, s.Reserve); err != nil {
		return nil, outOfFiles(err)
	}
	f := &flow{stack: s, recorder: s.Recorder, key: guard.Flow{Local: local, Remote: remote},
		inbox: newInbox(s.pending, &s.queue), lostBefore: s.lost.Load()}
	if err := s.register(f); err != nil {
		return nil, errors.Join(err, s.ports.release(local))
	}
	return f, nil
}

// acquireSlot waits for a slot for one more flow. While flows wait, quiet flows are released earlier.
func (s *Stack) acquireSlot(ctx context.Context) error {
	s.once.Do(func() { s.slots = make(chan struct{}, maxFlows) })
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

func (s *Stack) releaseSlot() { <-s.slots }

// outOfFiles adds advice to the error if the process has reached its limit of open sockets.
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

// maximumSegment returns the MSS option for SYNs (RFC 9293 section 3.7.1).
func (s *Stack) maximumSegment() uint16 {
	const ethernet = 1500
	return uint16(min(cmp.Or(s.MTU, ethernet), math.MaxUint16) - s.headers())
}

// headers is the length of the IP and TCP headers without options.
func (s *Stack) headers() int {
	const tcp, ipv4, ipv6 = 20, 20, 40
	if s.Source.Is4() {
		return tcp + ipv4
	}
	return tcp + ipv6
}

// defaultMSS is what a peer takes that does not say (RFC 9293 section 3.7.1).
const defaultMSS = 536

// Limits are what bounds the length of a segment's data.
type Limits struct {
	Headers int // bytes of the IP and TCP headers before the data
	Own     int // data that fits into this host's device or route
	Peer    int // the MSS option of the SYN-ACK
	Window  int // the receive window that the peer announced last
}

// Limits returns what bounds the connection's segments. The connection is established.
func (c *Conn) Limits() Limits {
	s := c.flow.stack
	return Limits{Headers: s.headers(), Own: int(s.maximumSegment()), Peer: c.peerMSS, Window: c.peerWindow}
}

// LongestSegment is the most data that a segment may carry: what this side takes and, once it has said so, the peer. Of
// a connection that was taken over it is not known what the peer said.
func (c *Conn) LongestSegment() int {
	own := int(c.flow.stack.maximumSegment())
	if c.peerMSS == 0 {
		return own
	}
	return min(own, c.peerMSS)
}
