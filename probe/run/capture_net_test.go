//go:build net

package run_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// capture is a packet socket at the server without a filter.
type capture struct{ fd int }

func newCapture(t *testing.T, n *lab.Namespace) (c capture) {
	t.Helper()
	must(t, n.Do(func() (err error) {
		all := uint16(unix.ETH_P_ALL)
		c.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, int(all<<8|all>>8))
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		return unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20)
	}))
	t.Cleanup(func() { unix.Close(c.fd) })
	return c
}

// resets counts the RSTs from the client that arrived since the last call. The prober's own have a window, those of its
// kernel have none.
func (c capture) resets(t *testing.T, l *site) (probers, kernels int) {
	t.Helper()
	buffer := make([]byte, 65536)
	for {
		n, _, err := unix.Recvfrom(c.fd, buffer, 0)
		if errors.Is(err, unix.EAGAIN) {
			return probers, kernels
		}
		must(t, err)
		s, _, err := segment.Parse(buffer[:n], segment.RawIP, n)
		switch {
		case err != nil || s == nil || !s.Flags.Has(segment.RST):
		case s.Source.Addr() != l.ClientAddr(lab.IPv4) && s.Source.Addr() != l.ClientAddr(lab.IPv6):
		case s.Window == 0:
			kernels++
		default:
			probers++
		}
	}
}

// During a run the prober's kernel sends no RST. To show that the capture would see one, the client's kernel then
// refuses a connection.
func TestKernelSendsNoReset(t *testing.T) {
	t.Parallel()
	for _, mode := range []guard.Mode{guard.TCX, guard.Clsact} {
		s := newSite(t)
		c := newCapture(t, s.Server())
		targets := []netip.AddrPort{s.Target(lab.IPv4, lab.Echo), s.Target(lab.IPv6, lab.Echo)}
		for _, f := range []string{"push-at-zero", "loss=20%", "reorder=10%/2ms", "duplicate=10%"} {
			stop := s.inject(f)
			p := planFor(targets)
			// The kernel itself resets a connection of its own that is half-open, or whose peer does not close in time.
			p.KernelConnections = plan.Off
			s.carryOut(childTask{p, mode, s.Client().Path()})
			stop()
			if probers, kernels := c.resets(t, s); kernels != 0 || probers == 0 {
				t.Errorf("%s, fault %q: %d RSTs of the prober's kernel, want none; %d of the prober, want some", mode, f, kernels,
					probers)
			}
		}
		must(t, s.Server().Do(func() error {
			if k, err := net.DialTimeout("tcp", netip.AddrPortFrom(s.ClientAddr(lab.IPv4), 9).String(),
				time.Second); err == nil {
				return k.Close()
			}
			return nil
		}))
		if _, kernels := c.resets(t, s); kernels == 0 {
			t.Error("the capture does not show the client kernel's RST")
		}
	}
}

// inject turns on a fault of the switch until stop is called.
func (s *site) inject(faults ...string) (stop func()) {
	s.t.Helper()
	return labtest.Inject(s.t, s.Lab, faults...)
}
