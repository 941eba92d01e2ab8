//go:build net

package guard_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
)

func TestForeignQdiscAndFiltersStay(t *testing.T) {
	l := newLab(t)
	h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
	newForeign(t, lab.IPv4, next).byClsact(h, 1)
	newForeign(t, lab.IPv4, next).byClsact(h, 3)
	before := h.attachedPrograms()
	h.attach(guard.Clsact)
	if got := h.ingressPreferences(); !slices.Equal(got, []uint16{1, 2, 3}) {
		t.Errorf("filters at the preferences %v, want the guard at 2, the lowest free one", got)
	}
	must(t, h.guard.Close())
	if after := h.attachedPrograms(); len(after.filters) != len(before.filters) || after.qdisc != "clsact" {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func (h *host) ingressPreferences() (list []uint16) {
	h.t.Helper()
	h.do(func() error {
		device, err := netlink.LinkByIndex(h.route.Index)
		if err != nil {
			return err
		}
		filters, err := netlink.FilterList(device, netlink.HANDLE_MIN_INGRESS)
		for _, f := range filters {
			if f.Attrs().Handle != 0 {
				list = append(list, f.Attrs().Priority)
			}
		}
		return err
	})
	slices.Sort(list)
	return list
}

func TestOwnQdiscStaysForWhoeverCameToUseIt(t *testing.T) {
	l := newLab(t)
	h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
	h.attach(guard.Clsact)
	newForeign(t, lab.IPv4, next).byClsact(h, 7)
	must(t, h.guard.Close())
	if s := h.attachedPrograms(); !slices.Equal(s.filters, []string{"foreign"}) || s.qdisc != "clsact" {
		t.Errorf("left %+v, want the foreign filter and its qdisc", s)
	}
}

func TestIngressQdiscIsReported(t *testing.T) {
	l := newLab(t)
	h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
	h.do(func() error {
		return netlink.QdiscAdd(&netlink.Ingress{QdiscAttrs: netlink.QdiscAttrs{
			LinkIndex: h.route.Index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_INGRESS,
		}})
	})
	err := l.Client().Do(func() error { _, err := h.guard.Attach(h.route.Index, guard.Clsact); return err })
	if !errors.Is(err, guard.ErrUnavailable) || !strings.Contains(err.Error(), "ingress qdisc") {
		t.Errorf("Attach returns %v", err)
	}
	if s := h.attachedPrograms(); s.qdisc != "ingress" || len(s.filters) != 0 {
		t.Errorf("left %+v, want the ingress qdisc alone", s)
	}
	if hasTCX() {
		h.attach(guard.TCX) // needs no qdisc
	}
}

func TestAttachErrors(t *testing.T) {
	l := newLab(t)
	h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
	attach := func(index int, mode guard.Mode) error {
		return l.Client().Do(func() error { _, err := h.guard.Attach(index, mode); return err })
	}
	const inUse, other = guard.Clsact, guard.TCX
	h.attach(inUse)
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"another mode":   {attach(h.route.Index, other), "already guarded by clsact"},
		"no such mode":   {attach(1, "xdp"), `no guard mode "xdp"`},
		"no such device": {attach(4711, ""), "device 4711"},
	} {
		if !errors.Is(c.err, guard.ErrUnavailable) || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%s: %v, want an error with %s", name, c.err, c.says)
		}
	}
}
