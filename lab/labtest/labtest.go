// Package labtest gives tests a lab whose servers run, and says what must be left of their connections: nothing.
package labtest

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// New is a lab for one test.
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

// Inject makes the switch misbehave until stop.
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

// ExpectNothingLeft waits for the server's kernel to forget every connection of the client's: its sockets within
// a second, and what connection tracking holds within 12 s (10 s after a reset).
func ExpectNothingLeft(t *testing.T, l *lab.Lab) {
	t.Helper()
	for _, f := range lab.Families {
		AwaitEmpty(t, "sockets", time.Second, l.Server().Sockets, l.ClientAddr(f))
	}
	for _, f := range lab.Families {
		AwaitEmpty(t, "tracked connections", 12*time.Second, l.Server().Conntrack, l.ClientAddr(f))
	}
}

// AwaitEmpty waits until a count of what the server has of a peer is empty.
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
