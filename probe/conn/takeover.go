package conn

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// TakeOver takes over a connection of a socket of this process, only to End it. release closes the socket without a
// word. It is called once the guard knows the connection, so that the kernel refuses nothing that still comes in; it is
// called in any case.
func (s *Stack) TakeOver(ctx context.Context, e ledger.Entry, release func()) (*Conn, error) {
	slot, err := s.Ledger.Put(e) // before the socket is closed: the parent resets it if this process is killed
	if err != nil {
		release()
		return nil, fmt.Errorf("note connection %s in the ledger: %w", e.Local, err)
	}
	f, err := s.takeOver(ctx, e.Local, e.Remote, release)
	if err != nil {
		slot.Clear()
		return nil, fmt.Errorf("take over connection %s to %s: %w", e.Local, e.Remote, err)
	}
	return takenOver(f, slot, e), nil
}

// takenOver returns a connection that something else opened. How much that sent beyond what the peer acknowledged is
// not known. A ledger without an acknowledgement does not know the peer's numbers.
func takenOver(f *flow, slot ledger.Slot, e ledger.Entry) *Conn {
	c := &Conn{flow: f, slot: slot, ISS: e.Next.Add(-1), next: e.Next, sentUpTo: e.Next.Add(largestSendWindow),
		acked: e.Next, peer: e.Ack, established: true, peerUnknown: e.Ack.IsZero()}
	c.log.start = time.Now()
	return c
}

// WasEstablished says that the peer acknowledged data of a connection that was taken over.
func (c *Conn) WasEstablished() { c.proven = true }

// MayExpect says that the peer of a connection that was taken over may have received everything up to that number,
// whatever it acknowledged.
func (c *Conn) MayExpect(n seq.Number) { c.expected = &n }

// WasReset says that an RST ended the socket of a connection that was taken over. Abort then asks the peer first.
func (c *Conn) WasReset() { c.reset = true }

func (s *Stack) takeOver(ctx context.Context, local, remote netip.AddrPort, release func()) (*flow, error) {
	if err := s.acquireSlot(ctx); err != nil {
		release()
		return nil, err
	}
	f := &flow{stack: s, key: guard.Flow{Local: local, Remote: remote}, inbox: newInbox(s.pending, &s.queue),
		lostBefore: s.lost.Load()}
	err := s.register(f)
	release()
	if err != nil {
		s.releaseSlot()
		return nil, err
	}
	if err := s.ports.hold(local, s.Reserve); err != nil {
		s.releaseSlot()
		return nil, errors.Join(outOfFiles(err), s.unregister(f))
	}
	return f, nil
}

// unregister undoes register.
func (s *Stack) unregister(f *flow) error {
	s.mu.Lock()
	delete(s.flows, f.key)
	s.mu.Unlock()
	f.inbox.discard()
	return s.Guard.Remove(f.key)
}
