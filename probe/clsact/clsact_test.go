package clsact

import (
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
)

func TestFilterNamesSayWhoseTheyAre(t *testing.T) {
	l := &lease{owner: "guard", id: "0123456789abcdef"}
	for made, name := range map[bool]string{
		false: "tcpprobe-guard/0123456789abcdef", true: "tcpprobe-guard/0123456789abcdef/own-qdisc",
	} {
		if got := l.filterName(made); got != name {
			t.Errorf("the name is %q, want %q: guards of other versions would not recognise it", got, name)
		}
		got, madeQdisc, ok := leaseOf("guard", name)
		if !ok || got.id != l.id || madeQdisc != made {
			t.Errorf("%q was read as %q, %t, %t", name, got.id, madeQdisc, ok)
		}
	}
	for _, foreign := range []string{"", "cil_from_container", "tcpprobe-guardian/1", "tcpprobe-switch/1"} {
		if _, _, ok := leaseOf("guard", foreign); ok {
			t.Errorf("%q was read as the name of a guard's filter", foreign)
		}
	}
}

func TestPreferencesLeaveOthersInPlace(t *testing.T) {
	for _, c := range []struct {
		first   bool
		present []uint16
		want    []uint16 // the first three
	}{
		{true, nil, []uint16{1, 2, 3}},
		{true, []uint16{1, 3}, []uint16{2, 4, 5}},
		{false, nil, []uint16{0xC000, 0xBFFF, 0xBFFE}},
		{false, []uint16{7, 9}, []uint16{6, 5, 4}},
		{false, []uint16{1, 2}, []uint16{3, 4, 5}},
	} {
		var present []netlink.Filter
		for _, p := range c.present {
			present = append(present, &netlink.BpfFilter{FilterAttrs: netlink.FilterAttrs{Priority: p}})
		}
		var got []uint16
		for p := range (Attacher{First: c.first}).preferences(present) {
			if got = append(got, p); len(got) == len(c.want) {
				break
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("first %t, with %v: %v, want %v", c.first, c.present, got, c.want)
		}
	}
}
