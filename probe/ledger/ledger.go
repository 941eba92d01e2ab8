// Package ledger is a table of live flows in shared memory. The worker writes it. If the worker is killed, its parent
// resets the flows that are still in the table.
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

// Capacity is the largest number of live flows.
const Capacity = 16384

// ErrFull is returned by Put when Capacity flows are live.
var ErrFull = fmt.Errorf("the flow ledger is full: %d flows are live", Capacity)

// Entry is one live flow, with the numbers that an RST needs.
type Entry struct {
	Local, Remote netip.AddrPort
	Next          seq.Number // sequence number for an RST: the peer's RCV.NXT
	Ack           seq.Number // acknowledgement number for an RST: our RCV.NXT
}

// Ledger is one process's view of the table. A nil *Ledger stores nothing, and its methods succeed.
type Ledger struct {
	shared *table
	mu     sync.Mutex // guards free; only the worker adds flows, so it is not in shared memory
	free   []uint32
}

// Create makes an empty table. A child process opens it from the file. The table exists as long as one of the two has
// it open.
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

// newFile returns an anonymous file of the table's size. It is sealed, because a reader would crash if the file shrank.
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

// Put adds a flow, which must happen before its SYN leaves. The only error is ErrFull.
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

// take returns a free row: one that was cleared, or else one that was never used.
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

// Live returns the flows that were added and not cleared. Rows with impossible values are skipped: the writer may have
// crashed because it corrupted memory.
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

// Slot is an added flow. The zero Slot belongs to no ledger, and its methods do nothing.
type Slot struct {
	ledger *Ledger
	row    uint32
}

// Advance stores, in one atomic step, the numbers that an RST needs from now on.
func (s Slot) Advance(next, ack seq.Number) {
	if s.ledger != nil {
		s.ledger.shared.rows[s.row].numbers.Store(pack(next, ack))
	}
}

// Clear removes the flow after its end. It must be called at most once.
func (s Slot) Clear() {
	if s.ledger == nil {
		return
	}
	s.ledger.shared.rows[s.row].state.Store(empty)
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	s.ledger.free = append(s.ledger.free, s.row)
}

// table is the layout of the shared memory. used is the number of rows that were ever used: a reader looks only at
// these, so that other pages do not become resident.
type table struct {
	used atomic.Uint32
	_    [60]byte
	rows [Capacity]row
}
