//go:build net

package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/watch"
)

// A Go server reads nothing from held connections, and none is left.
func TestWatchedServerReadsNothing(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	at := netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 9000)
	var listener net.Listener
	if err := s.Server().Do(func() (err error) {
		listener, err = net.Listen("tcp", at.String())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var accepted, read atomic.Int64
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			go func() {
				n, _ := io.Copy(io.Discard, c)
				read.Add(n)
				c.Close()
			}()
		}
	}()
	w := watchFrom(t, s, append([]string{at.String(), "--hold", "--paths", "3", "--for", "8s"}, quick...)...)
	if status := w.end(); status != cli.ExitPass || accepted.Load() < 1 || read.Load() != 0 {
		t.Errorf("status %d, %d connections, %d bytes read\n%s", status, accepted.Load(), read.Load(), w)
	}
	labtest.ExpectNothingLeft(t, s)
}

// nginx writes no line about held connections into its log, and holds none afterwards.
func TestWatchedNginxLogsNothing(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	at := netip.AddrPortFrom(s.ServerAddr(lab.IPv6), 8080)
	home := t.TempDir()
	const layout = `daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/errors;
events { worker_connections 64; }
http { access_log %[1]s/access; client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3;
	uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5; server { listen %[2]s; return 200; } }`
	conf := filepath.Join(home, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, layout, home, at), 0o600); err != nil {
		t.Fatal(err)
	}
	nginx := exec.Command("nginx", "-c", conf)
	if err := s.Server().Do(nginx.Start); err != nil {
		t.Fatalf("%v: run test/setup.sh", err)
	}
	defer func() {
		_ = nginx.Process.Kill()
		_ = nginx.Wait()
	}()
	awaitListener(t, s, at)
	w := watchFrom(t, s, append([]string{at.String(), "--hold", "--paths", "3", "--for", "10s"}, quick...)...)
	status := w.end()
	log, err := os.ReadFile(filepath.Join(home, "access"))
	if err != nil || status != cli.ExitPass || len(log) > 0 {
		t.Errorf("status %d, %v, %q\n%s", status, err, log, w)
	}
	labtest.ExpectNothingLeft(t, s)
}

// Peers that speak first or defer their accept are touched. Without --hold, one that speaks first is asked once.
func TestWatchTouchesWhoIsNotToBeHeld(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	for _, c := range []struct {
		server lab.Server
		how    string
		tells  watch.Kind
		status int
	}{
		{lab.Banner, "--hold", watch.Touches, cli.ExitPass},
		{lab.Banner, "--hold=false", watch.NeedsConsent, cli.ExitInconclusive},
		{lab.Deferred, "--hold", watch.Touches, cli.ExitPass},
		{lab.Deferred, "--hold=false", watch.Begins, cli.ExitPass},
	} {
		w := watchFrom(t, s, s.Target(lab.IPv4, c.server).String(), c.how, "--paths", "1", "--for", "8s")
		if status := w.end(); status != c.status || w.count(c.tells) != 1 || w.count(watch.Fails, watch.Suspected) > 0 {
			t.Errorf("%s, %s: status %d\n%s", c.server, c.how, status, w)
		}
		labtest.ExpectNothingLeft(t, s)
	}
}

// What resembles the fault is no finding.
func TestWatchLookAlikes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault string
		tells watch.Kind
	}{
		{"loss=5%", watch.Begins}, {"drop-old", watch.NotAsked}, {"every-syn", watch.Begins},
		{"everything", watch.PathDown},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			s := labtest.New(t, lab.Options{})
			w := watchFrom(t, s, append([]string{s.Target(lab.IPv4, lab.Echo).String(), "--hold", "--paths", "2", "--for",
				"25s"}, quick...)...)
			w.await(2, watch.Begins)
			defer labtest.Inject(t, s, c.fault)()
			if w.end(); w.count(watch.Fails) > 0 || w.count(c.tells) == 0 {
				t.Error(w)
			}
		})
	}
}

// awaitListener waits until a server takes connections.
func awaitListener(t *testing.T, s *lab.Lab, at netip.AddrPort) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := s.Client().Do(func() error {
			c, err := net.Dial("tcp", at.String())
			if err == nil {
				c.Close()
			}
			return err
		})
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// A target that starts again resets or refuses for a while: that is told, and is no finding.
func TestWatchOfATargetThatRestarts(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	at := netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 9000)
	server := func() *exec.Cmd {
		cmd := exec.Command("python3", "-m", "http.server", "--bind", at.Addr().String(), "--directory", t.TempDir(),
			strconv.Itoa(int(at.Port())))
		if err := s.Server().Do(cmd.Start); err != nil {
			t.Fatal(err)
		}
		awaitListener(t, s, at)
		return cmd
	}
	end := func(cmd *exec.Cmd) {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	first := server()
	w := watchFrom(t, s, append([]string{at.String(), "--hold", "--paths", "2"}, quick...)...)
	w.await(2, watch.Begins)
	end(first)
	w.await(2, watch.PathDown)
	second := server()
	defer end(second)
	w.await(2, watch.Back)
	if status := w.stop(syscall.SIGINT); status != cli.ExitPass || w.count(watch.Fails, watch.Suspected) > 0 {
		t.Errorf("status %d\n%s", status, w)
	}
}

// If either of the two processes is killed, no connection is left at the target.
func TestKilledWatchLeavesNothing(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{Conntrack: true})
	for _, f := range lab.Families {
		args := append([]string{"watch", s.Target(f, lab.Echo).String(), "--hold", "--paths", "3"}, quick...)
		killWorker(t, holding(t, s, f, 3, args...))
		labtest.ExpectNothingLeft(t, s)
		cmd := holding(t, s, f, 3, args...)
		workers := children(t, cmd.Process.Pid)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		awaitEnd(t, workers)
		labtest.ExpectNothingLeft(t, s)
	}
}
