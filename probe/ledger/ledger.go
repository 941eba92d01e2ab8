// Package ledger is the table of live flows in memory that two processes share: the worker, which
// writes it, and its parent, which resets what is left in it when the worker has been killed.
package ledger

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Capacity is the number of flows that can be live at the same time.
const Capacity = 16384

// ErrFull is returned by Put when Capacity flows are live.
var ErrFull = fmt.Errorf("the flow ledger is full: %d flows are live", Capacity)

// Entry is one live flow, with what a reset of it has to carry.
type Entry struct {
	Local, Remote netip.AddrPort
	Next          seq.Number // sequence number of an RST: the peer's rcv_nxt
	Ack           seq.Number // acknowledgement number: our rcv_nxt
}

// Ledger is one process's view of the table. A nil *Ledger keeps nothing: its methods succeed.
type Ledger struct {
	shared *table
	mu     sync.Mutex // guards free; only the worker enters flows, so it needs not be shared
	free   []uint32
}

// Create makes an empty table. The file is what a child process needs to Open it: the table lives as
// long as one of the two holds it.
func Create() (*Ledger, *os.File, error) {
	f, err := newFile()
	if err != nil {
		return nil, nil, fmt.Errorf("create the flow ledger: %w", err)
	}
	l, err := Open(f)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return l, f, nil
}

// newFile is an anonymous file of the table's size that nobody can shrink under a reader.
func newFile() (*os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("tcpprobe-ledger", flags|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate("tcpprobe-ledger", flags)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "tcpprobe-ledger")
	if err := f.Truncate(int64(unsafe.Sizeof(table{}))); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW); err != nil {
		return nil, errors.Join(os.NewSyscallError("fcntl", err), f.Close())
	}
	return f, nil
}

// Open maps the table that Create made; f may be closed afterwards.
func Open(f *os.File) (*Ledger, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open the flow ledger: %w", err)
	}
	const size = int(unsafe.Sizeof(table{}))
	if info.Size() != int64(size) {
		return nil, fmt.Errorf("open the flow ledger: %s has %d bytes, not %d: it is no ledger of this version",
			f.Name(), info.Size(), size)
	}
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("open the flow ledger: %w", os.NewSyscallError("mmap", err))
	}
	return &Ledger{shared: (*table)(unsafe.Pointer(&b[0]))}, nil
}

// Put enters a flow, before its SYN leaves. The only error is ErrFull.
func (l *Ledger) Put(e Entry) (Slot, error) {
	if l == nil {
		return Slot{}, nil
	}
	i, err := l.take()
	if err != nil {
		return Slot{}, err
	}
	l.shared.rows[i].fill(e)
	return Slot{l, i}, nil
}

// take finds a row that is not in use: one that was given back, or else one never used.
func (l *Ledger) take() (uint32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.free); n > 0 {
		i := l.free[n-1]
		l.free = l.free[:n-1]
		return i, nil
	}
	i := l.shared.used.Load()
	if i >= Capacity {
		return 0, ErrFull
	}
	l.shared.used.Store(i + 1)
	return i, nil
}

// Live lists the flows that were entered and not cleared. Rows that make no sense are left out: the
// process that wrote them may have died of writing where it should not.
func (l *Ledger) Live() []Entry {
	if l == nil {
		return nil
	}
	var out []Entry
	for i := range min(l.shared.used.Load(), Capacity) {
		if e, ok := l.shared.rows[i].read(); ok {
			out = append(out, e)
		}
	}
	return out
}

// Slot is one entered flow. The zero Slot belongs to no ledger and keeps nothing.
type Slot struct {
	ledger *Ledger
	row    uint32
}

// Advance notes, in one atomic step, what an RST would have to carry from now on.
func (s Slot) Advance(next, ack seq.Number) {
	if s.ledger != nil {
		s.ledger.shared.rows[s.row].numbers.Store(pack(next, ack))
	}
}

// Clear takes the flow out, once it has ended. It must be called once at most.
func (s Slot) Clear() {
	if s.ledger == nil {
		return
	}
	s.ledger.shared.rows[s.row].state.Store(empty)
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	s.ledger.free = append(s.ledger.free, s.row)
}

// table is the shared memory's layout. used bounds the rows ever touched, so that a reader does not
// make pages of the others resident.
type table struct {
	used atomic.Uint32
	_    [60]byte
	rows [Capacity]row
}
