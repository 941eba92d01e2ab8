package conn

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// What came in time counts, even if a busy host reads it late; but a receiver that never catches up is not waited for.
func TestSilenceIsNotBelievedWhilePacketsWait(t *testing.T) {
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

func TestSilenceIsBelievedWhereNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, start := newInbox(func() bool { return false }), time.Now()
		if _, ok := b.await(context.Background(), start.Add(time.Second)); ok || time.Since(start) != time.Second {
			t.Errorf("something came: %v, after %s", ok, time.Since(start))
		}
	})
}
