package ledger

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// TestMain makes the test binary the worker of TestFlowsSurviveTheirWriter if asked to.
func TestMain(m *testing.M) {
	if os.Getenv("LEDGER_TEST_WORKER") != "" {
		workAndWait()
		return
	}
	os.Exit(m.Run())
}

func create(t *testing.T) (*Ledger, *os.File) {
	t.Helper()
	l, f, err := Create()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return l, f
}

func put(t *testing.T, l *Ledger, e Entry) Slot {
	t.Helper()
	s, err := l.Put(e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// entry returns a flow that differs for each i.
func entry(i int) Entry {
	return Entry{
		Local:  netip.MustParseAddrPort("10.0.0.1:61000"),
		Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 80),
		Next:   seq.At(0xfffffff0), Ack: seq.At(uint32(i)),
	}
}

func TestReaderSeesFlowsOfBothFamilies(t *testing.T) {
	l, f := create(t)
	v6 := Entry{
		Local: netip.MustParseAddrPort("[fd00::1]:65535"), Remote: netip.MustParseAddrPort("[fd00::2]:443"),
		Next: seq.At(1 << 31), Ack: seq.At(0xffffffff),
	}
	want := []Entry{entry(1), v6}
	for _, e := range want {
		put(t, l, e)
	}
	reader, err := Open(f)
	if err != nil {
		t.Fatal(err)
	}
	if got := reader.Live(); !reflect.DeepEqual(got, want) {
		t.Errorf("live %v, want %v", got, want)
	}
}

func TestAdvanceAndClear(t *testing.T) {
	l, _ := create(t)
	a, b := put(t, l, entry(1)), put(t, l, entry(2))
	b.Advance(seq.At(0), seq.At(77)) // sequence number 0, after the wrap
	a.Clear()
	want := entry(2)
	want.Next, want.Ack = seq.At(0), seq.At(77)
	if got := l.Live(); !reflect.DeepEqual(got, []Entry{want}) {
		t.Errorf("live %v, want %v", got, want)
	}
	b.Clear()
	if got := l.Live(); len(got) != 0 {
		t.Errorf("live %v after the last was cleared", got)
	}
}

func TestRowsAreUsedAgain(t *testing.T) {
	l, _ := create(t)
	var slots []Slot
	for i := range Capacity {
		slots = append(slots, put(t, l, entry(i)))
	}
	if _, err := l.Put(entry(0)); !errors.Is(err, ErrFull) {
		t.Errorf("one flow too many: %v", err)
	}
	slots[7].Clear()
	put(t, l, entry(20000))
	live := l.Live()
	if len(live) != Capacity || !slices.Contains(live, entry(20000)) || slices.Contains(live, entry(7)) {
		t.Errorf("%d flows are live; the new one: %v, the old one: %v",
			len(live), slices.Contains(live, entry(20000)), slices.Contains(live, entry(7)))
	}
}

func TestManyGoroutinesKeepTheirOwnFlows(t *testing.T) {
	l, _ := create(t)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 500 {
				s, err := l.Put(entry(g))
				if err != nil {
					t.Error(err)
					return
				}
				s.Advance(seq.At(uint32(i)), seq.At(0))
				if i < 499 {
					s.Clear()
				}
			}
		})
	}
	all.Wait()
	live := l.Live()
	if len(live) != 8 {
		t.Fatalf("%d flows are live, want 8", len(live))
	}
	for _, e := range live {
		if e.Next != seq.At(499) {
			t.Errorf("%v was overwritten by another flow", e)
		}
	}
}

func TestNilLedgerKeepsNothing(t *testing.T) {
	var l *Ledger
	s := put(t, l, entry(1))
	s.Advance(seq.At(1), seq.At(2))
	s.Clear()
	if live := l.Live(); live != nil {
		t.Errorf("live %v", live)
	}
}

// A writer may crash because it corrupted memory. Its parent must not crash too, and must not send resets for corrupt
// rows.
func TestReaderSkipsCorruptRows(t *testing.T) {
	l, _ := create(t)
	good := put(t, l, entry(1))
	for _, spoil := range []func(*row){
		func(r *row) { r.state.Store(3) },
		func(r *row) { r.localPort = 0 },
		func(r *row) { r.remotePort = 0 },
		func(r *row) { r.local = [16]byte{} },
		func(r *row) { r.remote = [16]byte{1} },
		func(r *row) { r.state.Store(liveIPv6); r.remote = [16]byte{} },
		func(r *row) { r.state.Store(liveIPv6); r.local = [16]byte{} },
	} {
		s := put(t, l, entry(2))
		spoil(&l.shared.rows[s.row])
	}
	l.shared.used.Store(1 << 31)
	if got := l.Live(); !reflect.DeepEqual(got, []Entry{entry(1)}) {
		t.Errorf("live %v, want only %v", got, entry(1))
	}
	good.Clear()
}

func TestTableCannotShrinkUnderItsReader(t *testing.T) {
	_, f := create(t)
	for _, size := range []int64{0, int64(unsafe.Sizeof(table{})) + 1} {
		if err := f.Truncate(size); !errors.Is(err, unix.EPERM) {
			t.Errorf("truncate to %d: %v, want %v", size, err, unix.EPERM)
		}
	}
}

func TestOpenRefusesAnotherFile(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := Open(f); err == nil || !strings.Contains(err.Error(), "no ledger") {
		t.Errorf("open of an empty file: %v", err)
	}
}

func TestRowIsOneCacheLine(t *testing.T) {
	if n := unsafe.Sizeof(row{}); n != 64 {
		t.Errorf("a row has %d bytes", n)
	}
}

func TestFlowsSurviveTheirWriter(t *testing.T) {
	l, f := create(t)
	worker := exec.Command("/proc/self/exe")
	worker.Env = append(os.Environ(), "LEDGER_TEST_WORKER=1")
	worker.ExtraFiles = []*os.File{f}
	out, errOut := worker.StdoutPipe()
	_, errIn := worker.StdinPipe()
	if err := errors.Join(errOut, errIn); err != nil {
		t.Fatal(err)
	}
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	_, err := io.ReadFull(out, make([]byte, 1))
	if err := errors.Join(err, worker.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	var died *exec.ExitError
	if err := worker.Wait(); !errors.As(err, &died) || died.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the worker ended by itself: %v", err)
	}
	want := entry(2)
	want.Next = seq.At(5)
	if got := l.Live(); !reflect.DeepEqual(got, []Entry{want}) {
		t.Errorf("live %v, want %v", got, want)
	}
}

// workAndWait adds two flows, clears one, advances the other, reports that it is ready, and waits to be killed.
func workAndWait() {
	l, err := Open(os.NewFile(3, "ledger"))
	if err != nil {
		panic(err)
	}
	a, errA := l.Put(entry(1))
	b, errB := l.Put(entry(2))
	if errA != nil || errB != nil {
		panic(errors.Join(errA, errB))
	}
	b.Advance(seq.At(5), entry(2).Ack)
	a.Clear()
	os.Stdout.WriteString(".")
	_, _ = io.Copy(io.Discard, os.Stdin) // returns at the latest when the parent ends
}
