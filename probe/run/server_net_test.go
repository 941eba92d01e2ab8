//go:build net

package run_test

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// serve starts a program in the server's namespace and waits until it listens. The program is ended with the test.
func (s *site) serve(at netip.AddrPort, name string, args ...string) (pid int) {
	s.t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		s.t.Fatalf("%v: run test/setup.sh", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stderr = io.Discard
	cmd.WaitDelay = time.Second
	ended := make(chan error, 1)
	go func() { ended <- s.Server().Run(cmd) }()
	s.t.Cleanup(func() {
		cancel()
		<-ended //nolint:errcheck // the error says that the process was killed
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, room := s.waiting(at); room > 0 {
			return cmd.Process.Pid
		}
		select {
		case err := <-ended:
			s.t.Fatalf("%s ended: %v", name, err)
		default:
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s does not listen on %s", name, at)
		}
	}
}

// stall stops a process with SIGSTOP, like an application that hangs.
func (s *site) stall(pid int) {
	s.t.Helper()
	must(s.t, syscall.Kill(pid, unix.SIGSTOP))
}

func (s *site) expectQueue(what string, r report.Result, reason report.Reason, want report.Queue) {
	s.t.Helper()
	if r.Reason != reason || r.Queue == nil || *r.Queue != want {
		s.t.Errorf("%s: %s / %s %+v, want %s %+v\n%s\n%s", what, r.Verdict, r.Reason, r.Queue, reason, want, r.Message,
			r.Evidence)
	}
}

// Python's http.server has a backlog of 5. Normally it accepts all connections. When it is stopped, 6 connections wait
// in the queue.
func TestPythonServer(t *testing.T) {
	t.Parallel()
	for _, f := range lab.Families {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			at := netip.AddrPortFrom(s.ServerAddr(f), 8000)
			pid := s.serve(at, "python3", "-m", "http.server", "--bind", at.Addr().String(), "--directory", t.TempDir(), "8000")
			s.expectQueue("running", s.fill(40, at)[at.String()], report.NotReached, report.Queue{Least: 40, Most: 40})
			s.stall(pid)
			s.expectQueue("stalled", s.fill(40, at)[at.String()], report.QueueOverflowed,
				report.Queue{Least: 6, Most: 6, Behaviour: "IgnoredSyn"})
			if n, room := s.waiting(at); n != 6 || room != 5 {
				t.Errorf("the kernel has %d connections in a queue for %d", n, room)
			}
		})
	}
}

// A server that handles one connection at a time keeps the others in the queue, and accepts them once they have been
// reset.
func TestServerOfOneAtATime(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	at := netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 8000)
	const program = "from http.server import *; HTTPServer((%q, 8000), SimpleHTTPRequestHandler).serve_forever()"
	s.serve(at, "python3", "-c", fmt.Sprintf(program, at.Addr()))
	s.expectQueue("one at a time", s.fill(40, at)[at.String()], report.QueueOverflowed,
		report.Queue{Least: 7, Most: 7, Behaviour: "IgnoredSyn", Freed: true})
}

const nginxConf = `
daemon off; master_process off; pid %[1]s/pid; error_log /dev/null;
events { worker_connections 2048; }
http {
	access_log off;
	client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3;
	uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5;
	server { listen %[2]s; return 200; }
}
`

// nginx listens with a backlog of 511.
func TestNginx(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	at := netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 8080)
	home := t.TempDir()
	conf := filepath.Join(home, "nginx.conf")
	must(t, os.WriteFile(conf, fmt.Appendf(nil, nginxConf, home, at), 0o644))
	pid := s.serve(at, "/usr/sbin/nginx", "-p", home, "-c", conf)
	s.expectQueue("running", s.fill(600, at)[at.String()], report.NotReached, report.Queue{Least: 600, Most: 600})
	s.stall(pid)
	s.expectQueue("stalled", s.fill(600, at)[at.String()], report.QueueOverflowed,
		report.Queue{Least: 512, Most: 512, Behaviour: "IgnoredSyn"})
	if n, room := s.waiting(at); n != 512 || room != 511 {
		t.Errorf("the kernel has %d connections in a queue for %d", n, room)
	}
}
