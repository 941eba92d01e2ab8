package ledger

import (
	"net/netip"
	"sync/atomic"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// row is one flow in shared memory: 64 bytes, one cache line. Its writer may be killed between any two instructions, so
// state is stored last and both numbers are stored in one word.
type row struct {
	state                 atomic.Uint32
	localPort, remotePort uint16
	numbers               atomic.Uint64 // see pack
	local, remote         [16]byte
	_                     [16]byte
}

// States of a row: empty, or live with the address family.
const (
	empty uint32 = iota
	liveIPv4
	liveIPv6
)

func (r *row) fill(e Entry) {
	r.local, r.localPort = e.Local.Addr().As16(), e.Local.Port()
	r.remote, r.remotePort = e.Remote.Addr().As16(), e.Remote.Port()
	r.numbers.Store(pack(e.Next, e.Ack))
	if e.Remote.Addr().Is4() {
		r.state.Store(liveIPv4)
	} else {
		r.state.Store(liveIPv6)
	}
}

// read returns the row's flow. It returns false if the row is not live or has impossible values.
func (r *row) read() (Entry, bool) {
	state := r.state.Load()
	if state != liveIPv4 && state != liveIPv6 {
		return Entry{}, false
	}
	local, remote := netip.AddrFrom16(r.local), netip.AddrFrom16(r.remote)
	if state == liveIPv4 {
		if !local.Is4In6() || !remote.Is4In6() {
			return Entry{}, false
		}
		local, remote = local.Unmap(), remote.Unmap()
	}
	if local.IsUnspecified() || remote.IsUnspecified() || r.localPort == 0 || r.remotePort == 0 {
		return Entry{}, false
	}
	next, ack := unpack(r.numbers.Load())
	return Entry{
		Local:  netip.AddrPortFrom(local, r.localPort),
		Remote: netip.AddrPortFrom(remote, r.remotePort),
		Next:   next, Ack: ack,
	}, true
}

func pack(next, ack seq.Number) uint64 { return uint64(next.Uint32())<<32 | uint64(ack.Uint32()) }

func unpack(n uint64) (next, ack seq.Number) { return seq.At(uint32(n >> 32)), seq.At(uint32(n)) }
