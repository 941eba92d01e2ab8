//go:build net

package guard_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
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

// A CNI attaches its program while the guard is there: some replace what has handle 1 at preference 1, whoever made it.
func TestFilterThatComesMeanwhileStays(t *testing.T) {
	l := newLab(t)
	h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
	h.attach(guard.Clsact)
	cni := newForeign(t, lab.IPv4, next)
	h.do(func() error { return netlink.FilterReplace(cni.filter(h.route.Index, 1)) })
	if s := h.attachedPrograms(); len(s.filters) != 3 {
		t.Errorf("beside the CNI's program: %+v, want the guard's two", s)
	}
	must(t, h.guard.Close())
	if s := h.attachedPrograms(); !slices.Equal(s.filters, []string{"foreign"}) || s.qdisc != "clsact" {
		t.Errorf("left %+v, want the CNI's filter and its qdisc", s)
	}
}

// A filter may come between a look and the removal of the qdisc, which would remove it. So the qdisc is not removed.
func TestQdiscStaysForWhoeverComesNext(t *testing.T) {
	l := newLab(t)
	h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
	h.attach(guard.Clsact)
	must(t, h.guard.Close())
	if s := h.attachedPrograms(); len(s.filters) != 0 || s.qdisc != "clsact" {
		t.Errorf("left %+v, want a qdisc without filters", s)
	}
	newForeign(t, lab.IPv4, next).byClsact(h, 1)
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
	if labtest.HasTCX() {
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

func TestTCXIsRefusedInWordsWhereTheKernelHasNone(t *testing.T) {
	if labtest.HasTCX() {
		t.Skip("this kernel has TCX")
	}
	l := newLab(t)
	h := newHost(t, l.Client(), l.Target(lab.IPv4, lab.Echo))
	err := l.Client().Do(func() error { _, err := h.guard.Attach(h.route.Index, guard.TCX); return err })
	const says = "this kernel has no TCX, which came with Linux 6.6; clsact works before"
	if !errors.Is(err, guard.ErrUnavailable) || !strings.Contains(err.Error(), says) {
		t.Errorf("Attach returns %v, want an error with %q", err, says)
	}
	if s := h.attachedPrograms(); !s.nothing() {
		t.Errorf("left behind: %+v", s)
	}
	var got guard.Mode
	h.do(func() (err error) { got, err = h.guard.Attach(h.route.Index, ""); return err })
	if got != guard.Clsact {
		t.Errorf("without a mode: %s, want clsact", got)
	}
}
