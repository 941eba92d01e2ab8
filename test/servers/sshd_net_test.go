//go:build net

package servers_test

import (
	"bytes"
	"fmt"
	"net"
	"path/filepath"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// sshd serves with Debian's OpenSSH. Changed are its host key, address, port and the file of its process number; no
// configuration of this machine is read. It wants a folder in /run, which is there once the service has been started.
func sshd(s *site) {
	key := filepath.Join(s.home, "key")
	s.prepare("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	s.serve(fmt.Sprintf("mount -t tmpfs tmpfs /run\nmkdir /run/sshd\nexec /usr/sbin/sshd -D -e -f /dev/null -h %s "+
		"-o PidFile=none -o UsePAM=yes -o ListenAddress=%s -o Port=%d", key, s.at.Addr(), s.at.Port()))
}

// identifies says whether sshd has let a client in.
func identifies(greeting []byte) bool { return bytes.HasPrefix(greeting, []byte("SSH-2.0-OpenSSH")) }

// Where more than ten connections have not logged in, sshd turns some away (MaxStartups 10:30:100). A run has six at
// once. A busy sshd may not have noticed yet that others are gone, and turn a few away: but for that moment only.
func TestSSHIsNotMadeToLockOut(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"default": nil, "all variants": {"--scenario", "SequenceWrap/all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, 22)
			sshd(s)
			passed := 0
			for range 3 {
				r := s.run(args...)
				s.expectNothingLeft(r)
				if r.Verdict() == report.Pass {
					passed++
				}
				// A busy sshd answers late, which costs connections, and there may be too few left for a verdict.
				if r.Verdict() == report.Fail {
					t.Errorf("%+v", r.Results)
				}
			}
			if args == nil && passed == 0 {
				t.Error("none of three default runs passed")
			}
			s.await("sshd to let an ordinary client in", func() bool { return identifies(s.greeting()) })
			t.Logf("turned away: %d", bytes.Count(s.logged(), []byte("past MaxStartups")))
		})
	}
}

// That sshd turns clients away is seen by this test: it does so before 101 connections have not logged in.
func TestSSHLocksOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, 22)
	sshd(s)
	held := 0
	for ; held <= 100; held++ {
		c, g := s.begin()
		t.Cleanup(func() { c.Close() })
		if !identifies(g) {
			break
		}
	}
	if held > 100 || !bytes.Contains(s.logged(), []byte("past MaxStartups")) {
		t.Errorf("sshd let %d clients in:\n%s", held, s.logged())
	}
}

// begin is a connection of an ordinary client that waits for the server's first bytes.
func (s *site) begin() (c net.Conn, first []byte) {
	s.t.Helper()
	c = s.dial()
	return c, s.read(c)
}
