// Package labtest makes labs with running servers for tests, and checks that no connection is left.
package labtest

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// New returns a lab for one test.
func New(t *testing.T, o lab.Options) *lab.Lab {
	t.Helper()
	l, err := lab.New(context.WithoutCancel(t.Context()), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	stop, err := l.Server().Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Inject activates faults of the switch until stop is called.
func Inject(t *testing.T, l *lab.Lab, faults ...string) (stop func()) {
	t.Helper()
	parsed, err := fault.ParseAll(faults)
	if err != nil {
		t.Fatal(err)
	}
	j, err := l.Inject(parsed...)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}

// ExpectNothingLeft waits until the server's kernel has no connection of the client's: no sockets after a second, and
// no connection tracking entries after 12 s (they stay for 10 s after a reset).
func ExpectNothingLeft(t *testing.T, l *lab.Lab) {
	t.Helper()
	for _, f := range lab.Families {
		AwaitEmpty(t, "sockets", time.Second, l.Server().Sockets, l.ClientAddr(f))
	}
	for _, f := range lab.Families {
		AwaitEmpty(t, "tracked connections", 12*time.Second, l.Server().Conntrack, l.ClientAddr(f))
	}
}

// AwaitEmpty waits until the count of the server's connections with a peer is empty.
func AwaitEmpty(t *testing.T, what string, within time.Duration,
	count func(netip.Addr) (map[string]int, error), peer netip.Addr) {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		left, err := count(peer)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("after %s the server still has %s of %s: %v", within, what, peer, left)
			return
		}
	}
}

// HasTCX tells whether this machine's kernel has TCX, which came with Linux 6.6.
func HasTCX() bool {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		panic(err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor); err != nil {
		panic(err)
	}
	return major > 6 || major == 6 && minor >= 6
}

// GuardModes are the ways in which the guard can be attached on this machine: both, or clsact only.
func GuardModes() []string {
	if HasTCX() {
		return []string{"tcx", "clsact"}
	}
	return []string{"clsact"}
}
