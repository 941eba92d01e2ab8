//go:build net

package servers_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// mariadb serves with Debian's MariaDB. Changed are its folders, files, address, port and user; its own settings and
// Debian's (/etc/mysql) hold otherwise. There is a user for all hosts, or every client would be turned away before its
// handshake. The client has a name: the server looks it up, as it does at its defaults, and there is no DNS.
func mariadb(s *site) {
	data := filepath.Join(s.home, "data")
	s.prepare("install", "--directory", "--owner=mysql", "--mode=700", data)
	s.prepare("env", "TMPDIR="+data, "mariadb-install-db", "--user=mysql", "--datadir="+data, "--skip-test-db")
	users := s.file("users", "CREATE USER IF NOT EXISTS application@'%' IDENTIFIED BY 'secret';\n")
	hosts := s.file("hosts", fmt.Sprintf("%s client.example\n", s.ClientAddr(lab.IPv4)))
	s.serve(fmt.Sprintf("mount --bind %s /etc/hosts\n"+
		"exec mariadbd --user=mysql --datadir=%s --socket=%[2]s/socket --pid-file=%[2]s/pid --tmpdir=%[2]s --init-file=%s "+
		"--bind-address=%s --port=%d", hosts, data, users, s.at.Addr(), s.at.Port()))
}

// admin carries out a command of mariadb-admin.
func (s *site) admin(command string) string {
	s.t.Helper()
	out, err := exec.CommandContext(s.t.Context(), "mariadb-admin", "--no-defaults",
		"--socket="+filepath.Join(s.home, "data", "socket"), command).CombinedOutput()
	if err != nil {
		s.t.Fatalf("mariadb-admin %s: %v\n%s", command, err, out)
	}
	return string(out)
}

// mariadbStatus returns a counter of the server.
func (s *site) mariadbStatus(name string) int {
	s.t.Helper()
	for line := range strings.Lines(s.admin("extended-status")) {
		if fields := strings.Split(line, "|"); len(fields) > 2 && strings.TrimSpace(fields[1]) == name {
			n, err := strconv.Atoi(strings.TrimSpace(fields[2]))
			must(s.t, err)
			return n
		}
	}
	s.t.Fatalf("MariaDB has no counter %s", name)
	return 0
}

// unfinished returns how many connections MariaDB has counted that ended before a login, once it has let go of all.
func (s *site) unfinished() int {
	s.t.Helper()
	s.await("MariaDB to let go of all connections but this one", func() bool {
		return s.mariadbStatus("Threads_connected") == 1
	})
	return s.mariadbStatus("Aborted_connects")
}

// blocked says whether MariaDB greets with error 1129: "Host … is blocked because of many connection errors".
func blocked(greeting []byte) bool {
	return len(greeting) > 6 && bytes.Equal(greeting[4:7], []byte{0xff, 0x69, 0x04})
}

// greets says whether MariaDB greets as it does a client that may log in: by version 10 of its protocol.
func greets(greeting []byte) bool { return len(greeting) > 4 && greeting[4] == 10 }

// MariaDB refuses a host after 100 connections without a login. Three runs in a row stay below that, at the defaults
// and with all variants.
func TestMariaDBIsNotMadeToLockOut(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"default": nil, "all variants": {"--scenario", "SequenceWrap/all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, 3306)
			mariadb(s)
			before := s.unfinished()
			for range 3 {
				r := s.run(args...)
				s.expectNothingLeft(r)
				if args == nil {
					s.expect(r, passes)
				}
				after := s.unfinished()
				t.Logf("%d connections without a login", after-before)
				if n := after - before; n > verdict.MostUnfinished {
					t.Errorf("one run made %d connections, more than %d", n, verdict.MostUnfinished)
				}
				before = after
			}
			if g := s.greeting(); !greets(g) {
				t.Errorf("an ordinary client is greeted by %q", g)
			}
		})
	}
}

// That a host is locked out is seen by this test: 100 ordinary connections without a login do it.
func TestMariaDBLocksOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, 3306)
	mariadb(s)
	for i := range 100 {
		if g := s.greeting(); !greets(g) {
			t.Fatalf("after %d connections an ordinary client is greeted by %q", i, g)
		}
	}
	s.unfinished()
	if g := s.greeting(); !blocked(g) {
		t.Errorf("after 100 connections an ordinary client is greeted by %q", g)
	}
	s.admin("flush-hosts")
	if g := s.greeting(); !greets(g) {
		t.Errorf("after flush-hosts an ordinary client is greeted by %q", g)
	}
}
