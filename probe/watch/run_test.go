package watch_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/watch"
)

func settings(hold bool, paths int) watch.Settings {
	return watch.Settings{Paths: paths, Heartbeat: time.Second, Variants: watch.Variants, Hold: hold,
		ClearAfter: 30 * time.Second}
}

// events are what a watch told of.
type events []watch.Event

func (all events) of(kinds ...watch.Kind) (some events) {
	for _, e := range all {
		if slices.Contains(kinds, e.Kind) {
			some = append(some, e)
		}
	}
	return some
}

func (all events) String() string {
	var text strings.Builder
	for _, e := range all {
		if e.Kind != watch.Reports {
			text.WriteString(e.Time.Format("04:05.000 ") + string(e.Kind) + " " + string(e.Reason) + " " +
				strings.Join(e.Variants, ",") + " " + e.Message + "\n")
		}
	}
	return text.String()
}

// verdict is that of all paths.
func (all events) verdict() report.Verdict {
	var results []report.Result
	for _, e := range all.of(watch.Ends) {
		results = append(results, report.Result{Verdict: e.Verdict})
	}
	return report.Report{Results: results}.Verdict()
}

// watchFor watches the bench's peer for so long. Nothing may be left at the peer but what was not seen to end.
func watchFor(t *testing.T, b *conntest.Bench, s watch.Settings, d time.Duration) (all events) {
	t.Helper()
	b.Run(t, func(_ *testing.T, ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		var mu sync.Mutex
		watch.Run(ctx, watch.Env{Remote: conntest.Remote, Open: b.Stack.Open, OpenFrom: b.Stack.OpenFrom,
			Pace: conntest.Pace}, s, func(e watch.Event) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, e)
		})
	})
	unseen := 0
	for _, e := range all.of(watch.Ends) {
		unseen += e.Counts.NotSeenToEnd
	}
	if n := b.Peer.Live(); n > unseen { // over a path that is gone nothing can be ended
		t.Errorf("%d connections are left at the peer, of %d it is said that they may be", n, unseen)
	}
	return all
}

// between applies a rule from one time to another since the path was made.
func between(from, to time.Duration, drop conntest.Drop) func() conntest.Path {
	return func() conntest.Path {
		began := time.Now()
		return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
			at := time.Since(began)
			return at >= from && at < to && drop(s, toPeer)
		})()
	}
}

// A healthy path has its first answer, and no more is told of it.
func TestHealthyPathIsQuiet(t *testing.T) {
	for _, hold := range []bool{true, false} {
		all := watchFor(t, &conntest.Bench{Peer: &conntest.Listener{}}, settings(hold, 3), 5*time.Minute)
		said := slices.DeleteFunc(slices.Clone(all), func(e watch.Event) bool { return e.Kind == watch.Reports })
		if len(said.of(watch.Begins)) != 3 || len(said.of(watch.Ends)) != 3 || len(said) != 6 ||
			said.verdict() != report.Pass {
			t.Errorf("held %t: %s\n%s", hold, said.verdict(), said)
		}
		for _, e := range said.of(watch.Ends) {
			if n := e.Counts; n.Rounds < 80 || n.Connections > 40 || hold && (n.Rounds < 280 || n.Connections > 1) {
				t.Errorf("held %t: %+v", hold, n)
			}
		}
	}
}

// What loses data with PSH at 0 is found by two connections of the same port, its rule is named, and its end is seen.
func TestFaultIsFoundNamedAndCleared(t *testing.T) {
	for _, hold := range []bool{true, false} {
		all := watchFor(t, &conntest.Bench{Peer: &conntest.Listener{},
			Path: between(20*time.Second, 3*time.Minute, conntest.PushAtZero)}, settings(hold, 2), 20*time.Minute)
		if all.verdict() != report.Fail || len(all.of(watch.Fails)) != 2 || len(all.of(watch.Cleared)) != 2 {
			t.Errorf("held %t: %s\n%s", hold, all.verdict(), all)
		}
		for _, e := range all.of(watch.Fails) {
			if e.Reason != report.SequenceZeroDropped || e.P > watch.Alpha || len(e.Evidence) == 0 {
				t.Errorf("held %t: %+v", hold, e)
			}
		}
		for _, e := range all.of(watch.Rule) {
			if !slices.Equal(e.Rules, []string{"PushAtZero"}) {
				t.Errorf("held %t: %+v", hold, e)
			}
		}
		if len(all.of(watch.Rule)) != 2 {
			t.Errorf("held %t: the rule was named %d times\n%s", hold, len(all.of(watch.Rule)), all)
		}
	}
}

// What resembles the fault is no finding.
func TestLookAlikes(t *testing.T) {
	const end = 4 * time.Minute
	path := func(from time.Duration, drop conntest.Drop) *conntest.Bench {
		return &conntest.Bench{Peer: &conntest.Listener{}, Path: between(from, end, drop)}
	}
	for name, c := range map[string]struct {
		bench         *conntest.Bench
		held, touched report.Verdict
		tells         watch.Kind
	}{
		"a device drops old bytes": {&conntest.Bench{Peer: &conntest.OldDropper{Peer: &conntest.Listener{}}},
			report.Inconclusive, report.Inconclusive, watch.NotAsked},
		"every PSH is lost": {path(20*time.Second, conntest.EveryPush), report.Inconclusive, report.Inconclusive,
			watch.NotAsked},
		"the path is gone": {path(20*time.Second, conntest.DropAll), report.Inconclusive, report.Inconclusive,
			watch.PathDown},
		"the path is gone for a while": {&conntest.Bench{Peer: &conntest.Listener{},
			Path: between(20*time.Second, 2*time.Minute, conntest.DropAll)}, report.Pass, report.Pass, watch.Back},
		"SYNs are limited": {path(20*time.Second, conntest.EverySYN), report.Pass, report.Inconclusive, watch.Begins},
		"a closed port": {&conntest.Bench{Peer: &conntest.Listener{Closed: true}}, report.Inconclusive,
			report.Inconclusive, watch.PathDown},
		"a deferred accept": {&conntest.Bench{Peer: &conntest.Listener{Deferred: true}}, report.Pass, report.Pass,
			watch.Begins},
		"a full queue": {&conntest.Bench{Peer: &conntest.Listener{QueueFull: true}}, report.Pass, report.Pass, watch.Begins},
		"no DSACK":     {&conntest.Bench{Peer: &conntest.Listener{NoDSACK: true}}, report.Pass, report.Pass, watch.Begins},
		"an incomplete guard": {&conntest.Bench{Peer: &conntest.Listener{}, GuardMisses: true,
			Path: between(20*time.Second, time.Hour, conntest.PushAtZero)}, report.Inconclusive, report.Inconclusive,
			watch.Interferes},
	} {
		for hold, want := range map[bool]report.Verdict{true: c.held, false: c.touched} {
			all := watchFor(t, c.bench, settings(hold, 1), end)
			if len(all.of(watch.Fails)) > 0 || len(all.of(c.tells)) == 0 || all.verdict() != want {
				t.Errorf("%s, held %t: %s, want %s and %s\n%s", name, hold, all.verdict(), want, c.tells, all)
			}
		}
	}
}

// What this host's kernel dropped is not lost on the path. If all of it may be, nothing is known.
func TestDropsOfThisHost(t *testing.T) {
	all := watchFor(t, &conntest.Bench{Peer: &conntest.Listener{}, KernelDrops: true,
		Path: between(20*time.Second, 3*time.Minute, conntest.PushAtZero)}, settings(true, 1), 5*time.Minute)
	if n := all.of(watch.Ends)[0].Counts; len(all.of(watch.Fails, watch.Suspected)) > 0 || n.Void == 0 ||
		n.SuspectsLost > 0 {
		t.Errorf("%+v\n%s", n, all)
	}
}

// Of a path that is well all connections are seen to end.
func TestAllConnectionsAreSeenToEnd(t *testing.T) {
	for _, hold := range []bool{true, false} {
		all := watchFor(t, &conntest.Bench{Peer: &conntest.Listener{},
			Path: between(time.Minute, 2*time.Minute, conntest.PushAtZero)}, settings(hold, 4), 5*time.Minute)
		for _, e := range all.of(watch.Ends) {
			if n := e.Counts; n.NotSeenToEnd+n.StillHeldByIt > 0 {
				t.Errorf("held %t: %+v", hold, n)
			}
		}
	}
}

// A target gets one new connection a second at most, however many paths there are.
func TestConnectionsASecond(t *testing.T) {
	for _, hold := range []bool{true, false} {
		all := watchFor(t, &conntest.Bench{Peer: &conntest.Listener{}}, settings(hold, 90), time.Minute)
		made := 0
		for _, e := range all.of(watch.Ends) {
			made += e.Counts.Connections
		}
		if made < 55 || made > 60 {
			t.Errorf("held %t: %d connections in a minute", hold, made)
		}
	}
}
