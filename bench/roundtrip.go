package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// roundTripTimes has round-trip times from SYN to SYN-ACK with the same peer, in microseconds.
type roundTripTimes struct {
	Engine []float64 `json:"engine"` // from just before the system call that sends to the kernel's receive timestamp
	Kernel []float64 `json:"kernel"` // tcpi_rtt of a new connection
}

// measureRoundTrips measures with both methods in turn, one connection at a time.
func measureRoundTrips(ctx context.Context, s *conn.Stack, o task) (t roundTripTimes, err error) {
	for i := range o.Trips {
		target := o.Targets[i%len(o.Targets)]
		engine, err := engineRoundTrip(ctx, s, target)
		if err != nil {
			return t, err
		}
		kernel, err := kernelRoundTrip(target)
		if err != nil {
			return t, err
		}
		t.Engine, t.Kernel = append(t.Engine, micros(engine)), append(t.Kernel, kernel)
	}
	return t, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func engineRoundTrip(ctx context.Context, s *conn.Stack, target netip.AddrPort) (time.Duration, error) {
	c, err := s.Open(ctx, target, seq.At(uint32(time.Now().UnixNano())))
	if err != nil {
		return 0, err
	}
	opening := c.Handshake(ctx, unpaced)
	if _, err := c.End(ctx); err != nil {
		return 0, err
	}
	if opening.Answer != conn.SynAck {
		return 0, fmt.Errorf("no handshake with %s: %s", target, opening.Answer)
	}
	return c.RTT, nil
}

// kernelRoundTrip returns a new connection's first smoothed round-trip time, which is that of its SYN.
func kernelRoundTrip(target netip.AddrPort) (float64, error) {
	fd, err := connect(target)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, err
	}
	return float64(info.Rtt), nil
}
