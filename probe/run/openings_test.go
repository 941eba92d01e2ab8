package run

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

func opener(context.Context, netip.AddrPort, seq.Number) (*conn.Conn, error) {
	return &conn.Conn{}, nil
}

// Connections begin two at a time; each established one allows one more, up to four.
func TestOpeningsWiden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOpenings(opener, newTurns(1, 10))
		begun := make(chan *conn.Conn, 10)
		for range cap(begun) {
			go func() {
				c, _ := o.Open(t.Context(), netip.AddrPort{}, seq.At(0))
				begun <- c
			}()
		}
		for _, want := range []int{2, 4, 4} {
			synctest.Wait()
			n := len(begun)
			if n != want {
				t.Fatalf("%d connections began, want %d", n, want)
			}
			for range n {
				(<-begun).Held(true)
			}
		}
	})
}

// After an ignored connection the next ones begin one at a time, some time apart. If none was ever established, nothing
// is to be spared.
func TestOpeningsSlowDown(t *testing.T) {
	for proven, want := range map[bool]time.Duration{true: leastGap, false: 0} {
		synctest.Test(t, func(t *testing.T) {
			o := newOpenings(opener, newTurns(1, 10))
			if proven {
				c, _ := o.Open(t.Context(), netip.AddrPort{}, seq.At(0))
				c.Held(true)
			}
			_, _ = o.Open(t.Context(), netip.AddrPort{}, seq.At(0))
			time.Sleep(openingTime + time.Millisecond)
			_, _ = o.Open(t.Context(), netip.AddrPort{}, seq.At(0))
			started := time.Now()
			next, _ := o.Open(t.Context(), netip.AddrPort{}, seq.At(0))
			next.Held(false)
			if waited := time.Since(started); waited < want || want == 0 && waited > 0 {
				t.Errorf("others established: %t: waited %v, want %v", proven, waited, want)
			}
		})
	}
}

// When the run has ended, nothing is opened.
func TestNothingIsOpenedAfterTheEnd(t *testing.T) {
	o := newOpenings(opener, newTurns(1, 10))
	ctx, end := context.WithCancel(t.Context())
	end()
	if c, err := o.Open(ctx, netip.AddrPort{}, seq.At(0)); c != nil || err == nil {
		t.Errorf("after the end: %v, %v", c, err)
	}
}
