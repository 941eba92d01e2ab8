package guard

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLoadTriesSmallerMapsWhereMemoryIsLimited(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit uint32 // the largest map that the kernel permits
		tried []uint32
		want  error
	}{
		{"no limit", 1 << 20, []uint32{16384}, nil},
		{"64 KiB of locked memory", 200, []uint32{16384, 1024, 128}, nil},
		{"not permitted at all", 0, []uint32{16384, 1024, 128}, unix.EPERM},
	} {
		var tried []uint32
		objects, err := loadFitting(capacities, func(capacity uint32) (*guardObjects, error) {
			tried = append(tried, capacity)
			if capacity > c.limit {
				return nil, fmt.Errorf("map create: %w", unix.EPERM)
			}
			return new(guardObjects), nil
		})
		if !slices.Equal(tried, c.tried) || !errors.Is(err, c.want) || (objects == nil) != (c.want != nil) {
			t.Errorf("%s: tried %v, %v", c.name, tried, err)
		}
	}
}

func TestLoadGivesUpAtOnceOnOtherErrors(t *testing.T) {
	calls := 0
	_, err := loadFitting(capacities, func(uint32) (*guardObjects, error) { calls++; return nil, unix.EINVAL })
	if calls != 1 || !errors.Is(err, unix.EINVAL) {
		t.Errorf("%d calls, %v", calls, err)
	}
	if got := remedy(err); !strings.Contains(got, "Linux 5.8") {
		t.Errorf("the remedy is %q", got)
	}
}

func TestKeysTellFlowsApart(t *testing.T) {
	a, b := netip.MustParseAddrPort("192.0.2.1:61000"), netip.MustParseAddrPort("192.0.2.2:80")
	a6, b6 := netip.MustParseAddrPort("[c000:201::]:61000"), netip.MustParseAddrPort("[c000:202::]:80") // the same bytes as a and b
	mapped := netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
	key := func(f Flow) guardFlow {
		k, err := f.key()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	one := key(Flow{a, b})
	for name, other := range map[string]Flow{"reverse": {b, a}, "IPv6": {a6, b6}, "other port": {netip.AddrPortFrom(a.Addr(), 61001), b}} {
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

func TestFilterNamesSayWhoseTheyAre(t *testing.T) {
	l := &lease{id: "0123456789abcdef"}
	for _, made := range []bool{false, true} {
		got, madeQdisc, ok := leaseOf(l.filterName(made))
		if !ok || got.id != l.id || madeQdisc != made {
			t.Errorf("%q was read as %q, %t, %t", l.filterName(made), got.id, madeQdisc, ok)
		}
	}
	for _, foreign := range []string{"", "cil_from_container", "tcpprobe-guardian/1"} {
		if _, _, ok := leaseOf(foreign); ok {
			t.Errorf("%q is taken for a guard's", foreign)
		}
	}
}
