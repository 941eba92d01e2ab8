package clsact

import (
	"testing"

	"github.com/vishvananda/netlink"
)

func TestFilterNamesSayWhoseTheyAre(t *testing.T) {
	l := &lease{owner: "guard", id: "0123456789abcdef"}
	const name = "tcpprobe-guard/0123456789abcdef"
	if got := l.filterName(); got != name {
		t.Errorf("the name is %q, want %q: guards of other versions would not recognise it", got, name)
	}
	for _, n := range []string{name, name + "/own-qdisc"} { // of an earlier version
		if got, ok := leaseOf("guard", n); !ok || got.id != l.id {
			t.Errorf("%q was read as %q, %t", n, got.id, ok)
		}
	}
	for _, foreign := range []string{"", "cil_from_container", "tcpprobe-guardian/1", "tcpprobe-switch/1"} {
		if _, ok := leaseOf("guard", foreign); ok {
			t.Errorf("%q was read as the name of a guard's filter", foreign)
		}
	}
}

func TestPreferenceLeavesOthersInPlace(t *testing.T) {
	for _, c := range []struct {
		first   bool
		present []uint16
		want    uint16
	}{
		{true, nil, 1},
		{true, []uint16{1, 3}, 2},
		{true, []uint16{1, 2, 3}, 4},
		{false, nil, 0xC000},
		{false, []uint16{7, 9}, 6},
		{false, []uint16{1, 2}, 3},
	} {
		var present []netlink.Filter
		for _, p := range c.present {
			present = append(present, &netlink.BpfFilter{FilterAttrs: netlink.FilterAttrs{Priority: p}})
		}
		if got, ok := (Attacher{First: c.first}).preference(present); !ok || got != c.want {
			t.Errorf("first %t, with %v: %d %t, want %d", c.first, c.present, got, ok, c.want)
		}
	}
}
