package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// exchangeStats has the statistics of a tool's exchanges. An exchange is handshake, data and close.
type exchangeStats struct {
	Count             int       `json:"count"`
	Seconds           float64   `json:"seconds"`
	CPUSeconds        float64   `json:"cpuSeconds"`
	RoundTripMicros   []float64 `json:"roundTripMicros"` // SYN to SYN-ACK
	ResidentKilobytes int       `json:"residentKilobytes"`
}

// PerSecond returns the number of exchanges per second.
func (e exchangeStats) PerSecond() float64 { return float64(e.Count) / e.Seconds }

// CPUMicros returns the CPU time of one exchange.
func (e exchangeStats) CPUMicros() float64 { return e.CPUSeconds * 1e6 / float64(e.Count) }

// concurrentFlows is how many flows are open at the same time. It is the number of paths in an ordinary run.
const concurrentFlows = 16

// pushed is the data of an exchange: an incomplete request.
var pushed = []byte("GET /xxxxxxxxxxx")

// exchanges makes so many exchanges with the targets in turn, as fast as possible.
func exchanges(ctx context.Context, s *conn.Stack, o task) (exchangeStats, error) {
	e, err := sideBySide(o.Exchanges, func(i int) error { return exchange(ctx, s, o.Targets[i%len(o.Targets)]) })
	resident, unread := residentKilobytes()
	e.ResidentKilobytes = resident
	return e, errors.Join(err, unread)
}

// sideBySide makes exchanges number 1 to count, several at the same time, and measures all together.
func sideBySide(count int, exchange func(i int) error) (exchangeStats, error) {
	var next atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, concurrentFlows)
	start, used := time.Now(), processorTime()
	for worker := range errs {
		all.Go(func() {
			for i := next.Add(1); i <= int64(count) && errs[worker] == nil; i = next.Add(1) {
				errs[worker] = exchange(int(i))
			}
		})
	}
	all.Wait()
	return exchangeStats{Count: count, Seconds: time.Since(start).Seconds(),
		CPUSeconds: (processorTime() - used).Seconds()}, errors.Join(errs...)
}

func unpaced(ctx context.Context, _ int) error { return ctx.Err() }

// exchange opens a connection, sends data, waits for its acknowledgement, resets the connection, and checks that the
// reset was accepted.
func exchange(ctx context.Context, s *conn.Stack, target netip.AddrPort) error {
	c, err := s.Open(ctx, target, seq.At(uint32(time.Now().UnixNano())))
	if err != nil {
		return err
	}
	c.DataAcks = true
	delivered := false
	if o := c.Handshake(ctx, unpaced); o.Answer == conn.SynAck {
		delivered = push(ctx, c)
	}
	end, err := c.End(ctx)
	switch {
	case err != nil:
		return err
	case !delivered || !end.Confirmed || !end.Check.Clean():
		return fmt.Errorf("exchange with %s: delivered %t, end confirmed %t, guard: %s\n%s",
			target, delivered, end.Confirmed, end.Check, c.Evidence())
	}
	return nil
}

// pushTries is how often the data is sent if no acknowledgement arrives in time, as on a machine that stalls.
const pushTries = 6

func push(ctx context.Context, c *conn.Conn) bool {
	start := c.ISS.Add(1)
	end := start.Add(len(pushed))
	for i := 0; i < pushTries && !c.Acked().AtLeast(end); i++ {
		sent := c.Send(conn.Step{Part: evidence.Data, Flags: segment.PSH | segment.ACK, Seq: &start, Payload: pushed})
		c.Await(ctx, sent.Add(c.AnswerTimeout(i)), func(wire.Packet) bool { return c.Acked().AtLeast(end) })
	}
	return c.Acked().AtLeast(end)
}

// processorTime returns the CPU time that this process has used in all its threads.
func processorTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// residentKilobytes returns the largest resident memory of this process.
func residentKilobytes() (n int, err error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			_, err := fmt.Sscan(rest, &n)
			return n, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmHWM")
}
