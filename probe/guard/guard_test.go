package guard

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

func TestCapacityFitsTheMemoryThatMayBeLocked(t *testing.T) {
	for lockable, want := range map[uint64]uint32{64 << 10: 128, 8 << 20: 16384, math.MaxUint64: 16384, 0: 1} {
		if got := capacity(lockable); got != want {
			t.Errorf("with %d lockable bytes: %d flows, want %d", lockable, got, want)
		}
	}
}

// Kernels before 6.2 accept only whole-word writes to the stack from a process without CAP_PERFMON. The kernel that
// runs this test may accept others, so the test checks the instructions.
func TestProgramsWriteTheStackInWholeWords(t *testing.T) {
	spec, err := loadGuard()
	if err != nil {
		t.Fatal(err)
	}
	for name, program := range spec.Programs {
		words := 0
		for n, i := range program.Instructions {
			if class := i.OpCode.Class(); class != asm.StClass && class != asm.StXClass || i.Dst != asm.RFP {
				continue
			}
			if i.OpCode.Size() != asm.DWord {
				t.Errorf("%s writes %s to the stack in instruction %d", name, i.OpCode.Size(), n)
			}
			words++
		}
		if words < 5 {
			t.Errorf("%s writes %d words, fewer than a flow has", name, words)
		}
	}
}

// Kernels before 5.12 refuse atomic instructions that return the earlier value: they know an addition only.
func TestProgramsOnlyAddAtomically(t *testing.T) {
	const addition = 0 // BPF_ADD without BPF_FETCH
	spec, err := loadGuard()
	if err != nil {
		t.Fatal(err)
	}
	for name, program := range spec.Programs {
		additions := 0
		for n, i := range program.Instructions {
			if i.OpCode.Class() != asm.StXClass || i.OpCode.Mode() != asm.AtomicMode {
				continue
			}
			if i.Constant != addition {
				t.Errorf("%s: instruction %d is %v", name, n, i)
			}
			additions++
		}
		if additions == 0 {
			t.Errorf("%s counts nothing", name)
		}
	}
}

func TestRemedyTellsMissingPermissionFromMissingFeature(t *testing.T) {
	const needed = "Linux 5.10 or later is needed"
	if got := remedy(fmt.Errorf("program load: %w", unix.EINVAL)); !strings.Contains(got, needed) {
		t.Errorf("of an unknown feature: %q", got)
	}
	if got := remedy(fmt.Errorf("program load: %w", unix.EPERM)); strings.Contains(got, needed) {
		t.Errorf("of a missing permission: %q", got)
	}
}

func TestKeysTellFlowsApart(t *testing.T) {
	a, b := netip.MustParseAddrPort("192.0.2.1:61000"), netip.MustParseAddrPort("192.0.2.2:80")
	// the same bytes as a and b
	a6, b6 := netip.MustParseAddrPort("[c000:201::]:61000"), netip.MustParseAddrPort("[c000:202::]:80")
	mapped := netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
	key := func(f Flow) guardFlow {
		k, err := f.key()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	one := key(Flow{a, b})
	for name, other := range map[string]Flow{"reverse": {b, a}, "IPv6": {a6, b6},
		"other port": {netip.AddrPortFrom(a.Addr(), 61001), b}} {
		if key(other) == one {
			t.Errorf("%s has the same key", name)
		}
	}
	if key(Flow{mapped, b}) != one {
		t.Error("an IPv4-mapped address is another flow")
	}
	for _, bad := range []Flow{{a, b6}, {}, {a, netip.AddrPort{}}} {
		if _, err := bad.key(); err == nil {
			t.Errorf("%s has a key", bad)
		}
	}
}

// If the egress program could not be attached in the background, Counters returns an error, and Close works.
func TestIncompleteGuardHasNoCounters(t *testing.T) {
	s := &pendingEgress{done: make(chan struct{}), err: unix.EPERM}
	close(s.done)
	g := &Guard{devices: map[int]attachment{1: {}, 2: {egress: s}}}
	if err := g.waitComplete(); !errors.Is(err, ErrUnavailable) || !errors.Is(err, unix.EPERM) {
		t.Errorf("%v, want that the guard is unavailable, and why", err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}
