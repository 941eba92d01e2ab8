//go:build net

package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
)

// The benchmark starts itself again in the client's namespace, and so does its test.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == clientCommand {
		if err := serve(context.Background(), os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func newTestbed(t *testing.T) *testbed {
	t.Helper()
	s, err := openTestbed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// An exchange counts only if its data was acknowledged, its reset was confirmed and the guard was complete. No
// connection is left at the peer.
func TestExchangesLeaveNothing(t *testing.T) {
	s := newTestbed(t)
	var e exchangeStats
	if err := s.client(t.Context(), task{Targets: s.targets(), Exchanges: 2000}, &e); err != nil {
		t.Fatal(err)
	}
	if e.Count != 2000 || e.Seconds <= 0 || e.CPUSeconds <= 0 || e.ResidentKilobytes == 0 {
		t.Errorf("%+v", e)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left, err := s.Server().Sockets(s.ClientAddr(lab.IPv4))
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the peer keeps %v", left)
		}
	}
}

func TestEverythingElseIsMeasured(t *testing.T) {
	s := newTestbed(t)
	var w wrapTime
	if err := s.client(t.Context(), task{Targets: s.near(), Flows: 16}, &w); err != nil || w.Milliseconds <= 0 {
		t.Errorf("SequenceWrap: %+v %v", w, err)
	}
	var e exchangeStats
	if err := s.client(t.Context(), task{Targets: s.targets(), Sockets: 500}, &e); err != nil || e.Count != 500 ||
		e.CPUSeconds <= 0 {
		t.Errorf("the kernel's own exchanges: %+v %v", e, err)
	}
	var trips roundTripTimes
	if err := s.client(t.Context(), task{Targets: s.near(), Trips: 10}, &trips); err != nil || len(trips.Engine) != 10 ||
		len(trips.Kernel) != 10 {
		t.Errorf("round trips: %+v %v", trips, err)
	}
}
