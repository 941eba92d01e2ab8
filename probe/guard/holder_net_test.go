//go:build net

package guard_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// holderVariable is the environment variable that makes the test binary a holder: a separate process with a guard,
// which a test can kill or run with fewer capabilities.
const holderVariable = "GUARD_HOLDER"

// holderTask says what a holder does before it reports that it is ready.
type holderTask struct {
	Mode         guard.Mode
	Way          guardSetup
	Peer         netip.AddrPort
	Capabilities []int // if not nil: the only capabilities that the process keeps
	Drop         bool  // internal: set in the process that still has to drop capabilities
}

// guardSetup is how a holder gets its guard.
type guardSetup string

const (
	direct       guardSetup = ""              // Load and Attach
	ingressFirst guardSetup = "ingress first" // AttachIngressFirst: the egress program comes later
	handedOver   guardSetup = "handed"        // Prepare and Adopt, as in two processes
	abandoned    guardSetup = "abandoned"     // Prepare and Close without Adopt
)

const ready = "ready"

func TestMain(m *testing.M) {
	text, ok := os.LookupEnv(holderVariable)
	if !ok {
		os.Exit(m.Run())
	}
	var o holderTask
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		err = o.carryOut()
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(ready)
	for {
		_ = unix.Pause()
	}
}

func (o holderTask) carryOut() error {
	if o.Drop {
		return o.dropAndRestart()
	}
	route, err := route.Lookup(o.Peer, "")
	if err != nil {
		return err
	}
	if o.Way == abandoned {
		h, err := guard.Prepare(route.Index)
		if err != nil {
			return err
		}
		return h.Close()
	}
	g, err := o.guard(route.Index)
	if err != nil {
		return err
	}
	w, err := wire.Open(context.Background(), route, g.Tap())
	if err != nil {
		return err
	}
	f := guard.Flow{Local: netip.AddrPortFrom(route.Source, 61234), Remote: o.Peer}
	if err := g.Add(f); err != nil {
		return err
	}
	syn := segment.Segment{Source: f.Local, Destination: f.Remote, Flags: segment.SYN, Window: 64240}
	if _, err := w.Send(&syn); err != nil {
		return err
	}
	_, err = g.Counters(f)
	return err
}

func (o holderTask) guard(device int) (*guard.Guard, error) {
	if o.Way == handedOver {
		return handOver(device)
	}
	g, err := guard.Load()
	if err != nil {
		return nil, err
	}
	attach := g.Attach
	if o.Way == ingressFirst {
		attach = g.AttachIngressFirst
	}
	_, err = attach(device, o.Mode)
	return g, err
}

// handOver does the work of both processes; the preparing one then closes its descriptors.
func handOver(device int) (*guard.Guard, error) {
	h, err := guard.Prepare(device)
	if err != nil {
		return nil, err
	}
	var copies []int
	for _, d := range h.Descriptors() {
		c, err := unix.FcntlInt(uintptr(d), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		copies = append(copies, c)
	}
	if err := h.Close(); err != nil {
		return nil, err
	}
	return guard.Adopt(h.Device(), copies)
}

// dropAndRestart reduces the bounding set to the wanted capabilities and executes the program again, as a container
// runtime does.
func (o holderTask) dropAndRestart() error {
	runtime.LockOSThread()
	keep := map[int]bool{}
	for _, c := range o.Capabilities {
		keep[c] = true
	}
	for c := 0; c <= unix.CAP_LAST_CAP; c++ {
		if keep[c] {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil {
			return fmt.Errorf("dropping capability %d: %w", c, err)
		}
	}
	o.Drop = false
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return syscall.Exec("/proc/self/exe", os.Args, []string{holderVariable + "=" + string(text)})
}

// startHolder starts a holder in ns. It returns when the holder is ready, or with the error that the holder printed.
func startHolder(t *testing.T, ns *lab.Namespace, o holderTask) (*os.Process, error) {
	t.Helper()
	o.Drop = o.Capabilities != nil
	text, err := json.Marshal(o)
	must(t, err)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{holderVariable + "=" + string(text)}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, ns.Do(cmd.Start))
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, _ := bufio.NewReader(out).ReadString('\n')
	if line = strings.TrimSpace(line); line != ready {
		return nil, fmt.Errorf("holder: %s", line)
	}
	return cmd.Process, nil
}
