package conn

import (
	"context"
	"sync/atomic"
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
			b := newInbox(func(time.Time) bool { return time.Now().Before(read) }, new(atomic.Int64))
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
		b, start := newInbox(func(time.Time) bool { return false }, new(atomic.Int64)), time.Now()
		if _, ok := b.await(context.Background(), start.Add(time.Second)); ok || time.Since(start) != time.Second {
			t.Errorf("received: %v, after %s", ok, time.Since(start))
		}
	})
}

// Floods in many flows together leave room for what other flows receive, and give theirs back.
func TestFullInboxesLeaveRoomForOthers(t *testing.T) {
	var all atomic.Int64
	fill := func() (b *inbox, n int) {
		b = newInbox(func(time.Time) bool { return false }, &all)
		for b.put(wire.Packet{}) {
			n++
		}
		return b, n
	}
	var flooded []*inbox
	for range 256 {
		b, _ := fill()
		flooded = append(flooded, b)
	}
	if n := all.Load(); n > 16384+256*16 {
		t.Errorf("%d packets wait in all", n)
	}
	for _, b := range flooded {
		if b.length() < 16 {
			t.Fatalf("a flow has room for %d packets, want 16 at least", b.length())
		}
		b.discard()
	}
	if n := all.Load(); n != 0 {
		t.Errorf("%d packets wait after all flows were dropped", n)
	}
	for range 15 {
		fill()
	}
	if _, n := fill(); n < 128 {
		t.Errorf("beside 15 flows that are full there is room for %d packets", n)
	}
}
