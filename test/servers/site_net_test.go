//go:build net

package servers_test

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

// site is a lab with one real server in its server's namespace.
type site struct {
	*lab.Lab
	t    *testing.T
	home string // of the server: its configuration, data and log; short, because some have sockets there
	at   netip.AddrPort
}

// patience is how long a server may take on a busy machine.
const patience = 2 * time.Minute

func newSite(t *testing.T, port uint16) *site {
	t.Helper()
	l := labtest.New(t, lab.Options{})
	s := &site{Lab: l, t: t, at: netip.AddrPortFrom(l.ServerAddr(lab.IPv4), port)}
	s.makeHome()
	return s
}

// makeHome makes the server's folder. The test's own would be too long for a socket.
func (s *site) makeHome() {
	s.t.Helper()
	home, err := os.MkdirTemp("", "tcpprobe")
	must(s.t, err)
	s.home = home
	s.t.Cleanup(func() { os.RemoveAll(home) })
	must(s.t, os.Chmod(home, 0o711)) // servers give up root and still have to get in
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// file writes a file into the server's folder, that everybody may read, and returns its path.
func (s *site) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.home, name)
	must(s.t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

// prepare runs a command before the server.
func (s *site) prepare(name string, args ...string) {
	s.t.Helper()
	if out, err := exec.CommandContext(s.t.Context(), name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v (is it installed? test/setup.sh)\n%s", name, err, out)
	}
}

// serve runs a server until the test ends: a shell script in the server's network namespace and in mount and process
// namespaces of its own. So it changes no file of this machine, and none of its processes outlives it. What it prints
// goes to the file log.
func (s *site) serve(script string) {
	s.t.Helper()
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	must(s.t, err)
	must(s.t, log.Chmod(0o666))
	defer log.Close()
	cmd := exec.Command("sh", "-euc", "mount --make-rprivate /\n"+script)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.home, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	ended := make(chan error, 1)
	began := make(chan struct{})
	go func() { // the process dies with the thread that starts it, which is kept until then
		ended <- s.Server().Do(func() error {
			cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
			err := cmd.Start()
			close(began)
			if err != nil {
				return err
			}
			return cmd.Wait()
		})
	}()
	<-began
	over := make(chan struct{})
	s.t.Cleanup(func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
		}
		<-over
	})
	var failure error
	go func() { failure = <-ended; close(over) }()
	s.await("the server to listen", func() bool {
		select {
		case <-over:
			s.t.Fatalf("the server ended: %v\n%s", failure, s.logged())
		default:
		}
		return s.listens()
	})
}

// await waits until something is so.
func (s *site) await(what string, so func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited %s for %s\n%s", patience, what, s.logged())
		}
	}
}

func (s *site) listens() bool {
	s.t.Helper()
	var all []*netlink.Socket
	must(s.t, s.Server().Do(func() (err error) { all, err = netlink.SocketDiagTCP(unix.AF_INET); return err }))
	for _, l := range all {
		if l.State == unix.BPF_TCP_LISTEN && l.ID.SourcePort == s.at.Port() {
			return true
		}
	}
	return false
}

func (s *site) log() string { return filepath.Join(s.home, "log") }

// logged returns what the server has logged.
func (s *site) logged() []byte {
	content, err := os.ReadFile(s.log())
	if err != nil && !os.IsNotExist(err) {
		s.t.Error(err)
	}
	return content
}
