package main

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"

	"github.com/tcpprobe/tcpprobe/lab"
)

// Numbers of measurements in a round. The Python tool is slow, so few exchanges are enough to measure its rate.
const (
	tunedExchanges     = 300
	naiveExchanges     = 20
	wrapFlows          = 128
	roundTripsPerRound = 300
	// exchangeTargets is the number of addresses; a source has 4,536 ports for each
	exchangeTargets = 32
)

// python is Debian's interpreter, for which python3-scapy is installed. script is the program that it runs.
const (
	python  = "/usr/bin/python3"
	script  = "bench/scapy/exchange.py"
	product = "bin/tcpprobe"
)

// round has every figure once.
type round struct {
	engine, kernel, tuned, naive exchangeStats
	wrapTime                     wrapTime
	roundTripTimes               roundTripTimes
	engineStart                  float64 // milliseconds to the first SYN
	pythonStart                  float64
}

func (s *testbed) round(ctx context.Context, o options) (r round, err error) {
	if r.tuned, err = s.python(ctx, "tuned", tunedExchanges); err != nil {
		return r, err
	}
	if err = s.client(ctx, task{Targets: s.targets(), Exchanges: o.exchanges}, &r.engine); err != nil {
		return r, err
	}
	if err = s.client(ctx, task{Targets: s.targets(), Sockets: o.exchanges}, &r.kernel); err != nil {
		return r, err
	}
	if r.naive, err = s.python(ctx, "naive", naiveExchanges); err != nil {
		return r, err
	}
	if err = s.client(ctx, task{Targets: s.near(), Flows: wrapFlows}, &r.wrapTime); err != nil {
		return r, err
	}
	if err = s.client(ctx, task{Targets: s.near(), Trips: roundTripsPerRound}, &r.roundTripTimes); err != nil {
		return r, err
	}
	err = s.starts(ctx, &r)
	return r, err
}

// starts measures the start of the product's command and of the Python tool's script.
func (s *testbed) starts(ctx context.Context, r *round) error {
	target := s.near()[0]
	took, err := s.firstSYN(ctx, product, "run", target.String(), "--scenario", "Handshake", "--paths", "1", "-o", "json")
	if err != nil {
		return err
	}
	r.engineStart = took.Seconds() * 1000
	return s.withoutResets(func() error {
		took, err := s.firstSYN(ctx, python, pythonArgs(target, "tuned", 1)...)
		r.pythonStart = took.Seconds() * 1000
		return err
	})
}

func (s *testbed) python(ctx context.Context, way string, count int) (e exchangeStats, err error) {
	err = s.withoutResets(func() error {
		return s.inClient(ctx, &e, python, pythonArgs(s.near()[0], way, count)...)
	})
	return e, err
}

func pythonArgs(target netip.AddrPort, way string, count int) []string {
	return []string{script, target.Addr().String(), strconv.Itoa(int(target.Port())), strconv.Itoa(count), way}
}

// near returns the peer's address on the client's subnet.
func (s *testbed) near() []netip.AddrPort {
	return []netip.AddrPort{netip.AddrPortFrom(s.ServerAddr(lab.IPv4), peerPort)}
}

// targets returns several of the peer's addresses. For one address a prober's source ports would be used up in a tenth
// of a second.
func (s *testbed) targets() (out []netip.AddrPort) {
	for i := range exchangeTargets {
		out = append(out, netip.AddrPortFrom(s.DistantAddr(lab.IPv4, i), peerPort))
	}
	return out
}

// checkPrerequisites returns an error if something is missing for the benchmark, before anything is measured.
func checkPrerequisites() error {
	if _, err := exec.LookPath(product); err != nil {
		return fmt.Errorf("%w; run it by `make bench`, which builds it", err)
	}
	if err := exec.Command(python, "-c", "import scapy").Run(); err != nil {
		return fmt.Errorf("%s has no scapy: %w; test/setup.sh bench installs it", python, err)
	}
	return nil
}
