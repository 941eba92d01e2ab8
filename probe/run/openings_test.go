package run

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

func opener(context.Context, netip.AddrPort, seq.Number) (*conn.Conn, error) {
	return &conn.Conn{}, nil
}

// Connections begin two at a time; each established one allows one more, up to four.
func TestOpeningsWiden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOpenings(opener, netip.AddrPort{}, newTurns(1, 10))
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
			o := newOpenings(opener, netip.AddrPort{}, newTurns(1, 10))
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

// On a path with a long round trip the next connection begins when a handshake is complete, on another one when the
// connection has shown life. To another port of the target's host any number begin.
func TestOpeningsOverlap(t *testing.T) {
	elsewhere := netip.MustParseAddrPort("192.0.2.9:1")
	for _, c := range []struct {
		name    string
		rtt     time.Duration
		remote  netip.AddrPort
		another bool
	}{
		{"long round trip", acceptTime, netip.AddrPort{}, true},
		{"short round trip", acceptTime - 1, netip.AddrPort{}, false},
		{"another port", 0, elsewhere, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := newOpenings(opener, netip.AddrPort{}, newTurns(1, 10))
			for range firstOpenings {
				one, _ := o.Open(t.Context(), c.remote, seq.At(0))
				if one.RTT = c.rtt; one.Completed != nil {
					one.Completed()
				}
			}
			started := time.Now()
			_, _ = o.Open(t.Context(), c.remote, seq.At(0))
			if another := time.Since(started) == 0; another != c.another {
				t.Errorf("%s: the next one waited %v", c.name, time.Since(started))
			}
		})
	}
}

// Connections of the kernel that were held, after which all are refused, show that the listener is gone. Where only the
// crafted ones are refused they do not.
func TestListenerGoneByTheKernelsConnections(t *testing.T) {
	held := kernelconn.Result{Fate: kernelconn.Acknowledged, Control: part(0)}
	refused := kernelconn.Result{Fate: kernelconn.Refused}
	for _, c := range []struct {
		name    string
		kernels []kernelconn.Result // before the crafted ones
		after   []kernelconn.Result
		gone    bool
	}{
		{"accepts once", []kernelconn.Result{held, refused}, nil, true},
		{"accepts once, refused later", []kernelconn.Result{held}, []kernelconn.Result{refused}, true},
		{"closed port", []kernelconn.Result{refused, refused}, nil, false},
		{"refuses crafted ones only", []kernelconn.Result{held, held}, nil, false},
		{"accepts again", []kernelconn.Result{held, refused}, []kernelconn.Result{held}, false},
	} {
		o := newOpenings(nil, netip.AddrPort{}, nil)
		for _, r := range c.kernels {
			o.settleKernel(r)
		}
		for range enoughRefused {
			o.settled(false, true, time.Millisecond)
		}
		for _, r := range c.after {
			o.settleKernel(r)
		}
		if n, gone := o.listenerGone(); gone != c.gone || gone && n != 1 {
			t.Errorf("%s: %d held, gone: %v", c.name, n, gone)
		}
	}
}

// When the run has ended, nothing is opened.
func TestNothingIsOpenedAfterTheEnd(t *testing.T) {
	o := newOpenings(opener, netip.AddrPort{}, newTurns(1, 10))
	ctx, end := context.WithCancel(t.Context())
	end()
	if c, err := o.Open(ctx, netip.AddrPort{}, seq.At(0)); c != nil || err == nil {
		t.Errorf("after the end: %v, %v", c, err)
	}
}
