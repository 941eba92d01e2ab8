//go:build net

package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"

	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// victim is set in the process that the tests below kill. It has the namespace and device of a port that does not
// belong to that process.
const victim = "LAB_TEST_VICTIM"

func TestMain(m *testing.M) {
	if port := os.Getenv(victim); port != "" {
		if err := live(port); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// live makes one of each resource, reports that it is ready, and waits to be killed.
func live(port string) error {
	l, err := New(context.Background(), Options{Conntrack: true})
	if err != nil {
		return err
	}
	if _, err := l.Server().Serve(); err != nil {
		return err
	}
	faults, err := fault.ParseAll([]string{"push-at-zero", "delay=1ms"})
	if err != nil {
		return err
	}
	j, err := l.Inject(faults...)
	if err != nil {
		return err
	}
	for _, by := range []attacher{attachTCX, attachClsact} {
		a, err := attachFault(port, ClientPort, faults[0], by)
		if err != nil {
			return err
		}
		j.attached = append(j.attached, a)
	}
	words := []any{l.Client().Path()}
	for _, a := range j.attached {
		for _, p := range []*ebpf.Program{a.objects.SwitchIn, a.objects.SwitchOut} {
			info, err := p.Info()
			if err != nil {
				return err
			}
			id, _ := info.ID()
			words = append(words, id)
		}
	}
	fmt.Println(words...)
	select {}
}

func TestNothingOutlivesAKilledProcess(t *testing.T) {
	l := newLab(t, Options{})
	path, programs, kill := startVictim(t, l)

	// A device pair between this process and the victim's client disappears when the client's namespace does.
	theirs, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	err = l.Switch().Do(func() error {
		pair := netlink.NewVeth(netlink.NewLinkAttrs())
		pair.Name, pair.PeerName, pair.PeerNamespace = "canary", "canary", netlink.NsFd(int(theirs.handle))
		return netlink.LinkAdd(pair)
	})
	if err := errors.Join(err, theirs.Close()); err != nil {
		t.Fatal(err)
	}
	if n := inKernel(t, programs); n != 6 || !cableExists(t, l) {
		t.Fatalf("the victim has %d programs in the kernel, want two for each of three faults", n)
	}

	kill()
	await(t, func() bool { return !cableExists(t, l) })
	if n := len(filtersAtPort(t, l)); n != 2 {
		t.Errorf("the killed process left %d clsact filters on a port that still exists, want 2", n)
	}
	a, err := attachFault(l.Switch().Path(), ClientPort, parsed(t, "push-at-zero")[0], attachClsact)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(filtersAtPort(t, l)); n != 2 {
		t.Errorf("%d clsact filters with one fault attached, want its own 2", n)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if n := len(filtersAtPort(t, l)); n != 0 {
		t.Errorf("%d clsact filters at the end", n)
	}
	await(t, func() bool { return inKernel(t, programs) == 0 })
}

// startVictim starts this test's program again as the process to be killed.
func startVictim(t *testing.T, l *Lab) (path string, programs []ebpf.ProgramID, kill func()) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), victim+"="+l.Switch().Path())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the victim did not start")
	}
	words := strings.Fields(lines.Text())
	for _, w := range words[1:] {
		id, err := strconv.ParseUint(w, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, ebpf.ProgramID(id))
	}
	return words[0], programs, func() {
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
}

func cableExists(t *testing.T, l *Lab) bool {
	t.Helper()
	err := l.Switch().Do(func() error {
		_, err := netlink.LinkByName("canary")
		return err
	})
	var gone netlink.LinkNotFoundError
	if err != nil && !errors.As(err, &gone) {
		t.Fatal(err)
	}
	return err == nil
}

// filtersAtPort returns the clsact filters on the client's port.
func filtersAtPort(t *testing.T, l *Lab) (all []netlink.Filter) {
	t.Helper()
	err := l.Switch().Do(func() error {
		dev, err := netlink.LinkByName(ClientPort)
		if err != nil {
			return err
		}
		for _, parent := range []uint32{netlink.HANDLE_MIN_INGRESS, netlink.HANDLE_MIN_EGRESS} {
			some, err := netlink.FilterList(dev, parent)
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// inKernel counts which of the programs the kernel still has.
func inKernel(t *testing.T, programs []ebpf.ProgramID) (n int) {
	t.Helper()
	for _, id := range programs {
		p, err := ebpf.NewProgramFromID(id)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
		n++
	}
	return n
}
