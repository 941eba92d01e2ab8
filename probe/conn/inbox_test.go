package conn

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// A packet that arrived before the deadline is taken even if a busy host reads it later. But await does not wait
// without bound for a receiver that stays behind.
func TestAwaitReadsPendingPacketsAfterTheDeadline(t *testing.T) {
	for late, want := range map[time.Duration]bool{0: true, 50 * time.Millisecond: true, time.Minute: false} {
		synctest.Test(t, func(t *testing.T) {
			until := time.Now().Add(10 * time.Millisecond)
			read := until.Add(late)
			b := newInbox(func() bool { return time.Now().Before(read) })
			go func() {
				time.Sleep(time.Until(read))
				b.put(wire.Packet{Segment: &segment.Segment{}})
			}()
			if _, ok := b.await(context.Background(), until.Add(time.Microsecond)); ok != want {
				t.Errorf("read %s late: taken %v, want %v", late, ok, want)
			}
			time.Sleep(time.Until(read))
			synctest.Wait()
		})
	}
}

func TestAwaitEndsAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, start := newInbox(func() bool { return false }), time.Now()
		if _, ok := b.await(context.Background(), start.Add(time.Second)); ok || time.Since(start) != time.Second {
			t.Errorf("received: %v, after %s", ok, time.Since(start))
		}
	})
}
