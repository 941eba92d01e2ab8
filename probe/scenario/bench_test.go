package scenario

import (
	"context"
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// countingGuard stands for a guard that works: it has taken what the stack was given.
type countingGuard struct {
	mu    sync.Mutex
	taken map[guard.Flow]uint64
}

func (g *countingGuard) Add(guard.Flow) error    { return nil }
func (g *countingGuard) Remove(guard.Flow) error { return nil }
func (g *countingGuard) Counters(f guard.Flow) (guard.Counters, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return guard.Counters{Stolen: g.taken[f]}, nil
}

// guarded counts what a wire delivers as taken.
type guarded struct {
	*wire.Scripted
	guard *countingGuard
}

func (w guarded) Receive(ctx context.Context) (wire.Packet, error) {
	p, err := w.Scripted.Receive(ctx)
	if err == nil && p.Segment != nil {
		w.guard.mu.Lock()
		w.guard.taken[guard.Flow{Local: p.Segment.Destination, Remote: p.Segment.Source}]++
		w.guard.mu.Unlock()
	}
	return p, err
}

// bench runs one flow of a scenario against a scripted peer on a fake clock.
type bench struct {
	peer  *wire.Listener
	path  func() wire.Path // made anew, on the fake clock
	alpha float64
	stray bool // the guard misses what arrives
}

var remote = netip.MustParseAddrPort("192.0.2.80:80")

func (b *bench) run(t *testing.T, name string) (o Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := &countingGuard{taken: map[guard.Flow]uint64{}}
		w := wire.NewScripted(b.peer.Receive, b.path())
		s := &conn.Stack{Wire: guarded{w, g}, Guard: g, Source: netip.MustParseAddr("192.0.2.1"),
			Reserve: func(netip.AddrPort) (io.Closer, error) { return io.NopCloser(nil), nil }}
		if b.stray {
			s.Wire = w
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Receive(ctx) }()
		e := &Env{Open: s.Open, Remote: remote, Background: &verdict.Background{}, Alpha: b.alpha,
			Pace: func(ctx context.Context, n int) error {
				time.Sleep(time.Duration(n) * 5 * time.Millisecond)
				return ctx.Err()
			}}
		o = Registry[name].Flow("Push")(ctx, e)
		time.Sleep(2 * time.Second) // what is on the way arrives
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

const delay = 100 * time.Microsecond

// through delivers everything that the rule does not drop.
func through(drop func(s *segment.Segment, toPeer bool) bool) func() wire.Path {
	return func() wire.Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			if drop(s, toPeer) {
				return nil
			}
			return []time.Duration{delay}
		}
	}
}

// rules of misbehaving switches, on the way to the peer.
func pushAtZero(s *segment.Segment, toPeer bool) bool {
	return toPeer && s.Seq.IsZero() && s.Flags.Has(segment.PSH)
}

func finPushResetAtZero(s *segment.Segment, toPeer bool) bool {
	return toPeer && s.Seq.IsZero() && s.Flags&(segment.FIN|segment.PSH|segment.RST) != 0
}

func everyPush(s *segment.Segment, toPeer bool) bool { return toPeer && s.Flags.Has(segment.PSH) }

func everything(*segment.Segment, bool) bool { return true }

func nothing(*segment.Segment, bool) bool { return false }

// random loses a share of the segments, both ways.
func random(r *rand.Rand, share float64) func(*segment.Segment, bool) bool {
	return func(*segment.Segment, bool) bool { return r.Float64() < share }
}

// bursts is a two-state channel by time (Gilbert-Elliott): everything is lost for about mean, for the
// given share of the time. It has been running for a while when the first segment comes.
func bursts(r *rand.Rand, share float64, mean time.Duration) func(*segment.Segment, bool) bool {
	turn, lost := time.Now().Add(-100*mean), true
	return func(*segment.Segment, bool) bool {
		for !turn.After(time.Now()) {
			lost = !lost
			length := float64(mean)
			if !lost {
				length *= (1 - share) / share
			}
			turn = turn.Add(time.Duration(r.ExpFloat64() * length))
		}
		return lost
	}
}
