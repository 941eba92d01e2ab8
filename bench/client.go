package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"runtime/pprof"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/run"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// task says what the process in the client's namespace measures. Exactly one of the counts is set.
type task struct {
	Targets   []netip.AddrPort `json:"targets"`
	Exchanges int              `json:"exchanges,omitempty"`
	Sockets   int              `json:"sockets,omitempty"` // number of exchanges with the kernel's own TCP
	Flows     int              `json:"flows,omitempty"`   // number of flows of one SequenceWrap
	Trips     int              `json:"trips,omitempty"`   // number of round trips
	Profile   string           `json:"profile,omitempty"`
}

// serve carries out a task and prints the result as JSON.
func serve(ctx context.Context, text string) error {
	var o task
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return fmt.Errorf("reading the task: %w", err)
	}
	if o.Profile != "" {
		stop, err := profile(o.Profile)
		if err != nil {
			return err
		}
		defer stop()
	}
	run.SetGCPercent()
	var result any
	err := withEngine(o.Targets[0].Addr(), func(s *conn.Stack) (err error) {
		switch {
		case o.Exchanges > 0:
			result, err = exchanges(ctx, s, o)
		case o.Sockets > 0:
			result, err = sockets(ctx, o)
		case o.Flows > 0:
			result, err = measureWrap(ctx, s, o)
		default:
			result, err = measureRoundTrips(ctx, s, o)
		}
		return err
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func profile(path string) (stop func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

// withEngine runs f with the resources of a real run: one guard, one wire, one stack.
func withEngine(target netip.Addr, f func(*conn.Stack) error) error {
	route, err := route.Lookup(netip.AddrPortFrom(target, 0), "")
	if err != nil {
		return err
	}
	g, err := guard.Load()
	if err != nil {
		return err
	}
	defer g.Close()
	if _, err := g.AttachIngressFirst(route.Index, ""); err != nil {
		return err
	}
	w, err := wire.Open(context.Background(), route, g.Tap())
	if err != nil {
		return err
	}
	defer w.Close()
	ctx, stop := context.WithCancel(context.Background())
	s := &conn.Stack{Wire: w, Guard: g, Reserve: wire.Reserve, Source: route.Source}
	failed := make(chan error, 1)
	go func() { failed <- s.Receive(ctx) }()
	err = f(s)
	stop()
	if fault := <-failed; fault != nil {
		return fault
	}
	if err != nil {
		return err
	}
	return s.Close()
}
