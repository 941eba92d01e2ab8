//go:build net

package lab

import (
	"bytes"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

func TestDelayIsSeenBothWays(t *testing.T) {
	l := newLab(t, Options{})
	serve(t, l)
	quickest := time.Hour
	for range 10 {
		d := exchange(t, l, IPv4, 1)
		quickest = min(quickest, d)
	}
	if quickest > 4*time.Millisecond { // on an idle machine it takes a fiftieth of that
		t.Errorf("without a fault no round trip of ten took less than %s", quickest)
	}
	inject(t, l, "delay=20ms/1ms")
	for _, f := range Families {
		if d := exchange(t, l, f, 1); d < 40*time.Millisecond {
			t.Errorf("%s: a round trip took %s over two delays of 20 ms", f, d)
		}
	}
}

// The emulator does not change frames, also with segmentation offload and partial checksums.
func TestRelayCarriesEveryByte(t *testing.T) {
	l := newLab(t, Options{})
	serve(t, l)
	inject(t, l, "delay=100us", "reorder=5%/300us", "duplicate=2%")
	for _, f := range Families {
		exchange(t, l, f, 1<<20)
	}
}

func TestReorderAndDuplicate(t *testing.T) {
	l := newLab(t, Options{})
	const n = 500
	for _, f := range Families {
		for _, d := range []fault.Direction{fault.In, fault.Out} {
			t.Run(string(f)+"/"+string(d), func(t *testing.T) {
				if got := transmit(newCable(t, l, f, d), n); !slices.IsSorted(got) || len(got) != n {
					t.Fatalf("without a fault: %v", got)
				}
				inject(t, l, "reorder=10%/1ms@"+string(d), "duplicate=5%@"+string(d))
				got := transmit(newCable(t, l, f, d), n)
				if slices.IsSorted(got) {
					t.Error("nothing was reordered")
				}
				slices.Sort(got)
				if len(got) <= n || len(slices.Compact(got)) != n {
					t.Errorf("%d segments arrived, want all %d and some twice", len(got), n)
				}
			})
		}
	}
}

// transmit sends n numbered segments and returns those that arrived. It waits for the last of them.
func transmit(c *cable, n int) []int {
	for i := range n {
		c.send(i, ordinary)
	}
	var got []int
	for missing := n; missing > 0; {
		number, _ := c.next()
		if !slices.Contains(got, number) {
			missing--
		}
		got = append(got, number)
	}
	return got
}

// A rule examines packets before the emulator on the way in, and after it on the way out. Both work at the same time,
// and afterwards the switch works as before.
func TestRulesAndRelayCompose(t *testing.T) {
	l := newLab(t, Options{})
	for range 3 {
		for _, d := range []fault.Direction{fault.In, fault.Out} {
			j, err := l.Inject(parsed(t, "push-at-zero", "delay=1ms")...)
			if err != nil {
				t.Fatal(err)
			}
			c := newCable(t, l, IPv6, d)
			push := segment.Segment{Flags: ack | psh, WindowScale: -1}
			c.send(0, push)
			c.send(1, ordinary)
			if got := c.received(); !slices.Equal(got, []int{1}) {
				t.Errorf("%s: %v came through", d, got)
			}
			if _, err := l.Inject(parsed(t, "delay=1ms")...); err == nil {
				t.Error("a second emulator was started")
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			c.send(2, push)
			if got := c.received(); !slices.Equal(got, []int{2}) {
				t.Errorf("%s: after the repair %v came through", d, got)
			}
		}
	}
}

func serve(t *testing.T, l *Lab) {
	t.Helper()
	stop, err := l.Server().Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// exchange sends n bytes to the echo server over a new connection. It returns how long the echo took.
func exchange(t *testing.T, l *Lab, f Family, n int) time.Duration {
	t.Helper()
	c := dial(t, l, f, Echo)
	defer c.Close()
	sent := make([]byte, n)
	for i := range sent {
		sent[i] = byte(i * i >> 3)
	}
	start := time.Now()
	go func() { _, _ = c.Write(sent) }()
	got := make([]byte, n)
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%s: echo of %d bytes: %v, equal %v", f, n, err, bytes.Equal(got, sent))
	}
	return time.Since(start)
}

func dial(t *testing.T, l *Lab, f Family, s Server) *net.TCPConn {
	t.Helper()
	var c net.Conn
	err := l.Client().Do(func() (err error) {
		c, err = net.DialTimeout("tcp", l.Target(f, s).String(), 20*time.Second)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c.(*net.TCPConn)
}
