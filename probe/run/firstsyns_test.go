package run

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// shaken runs the check Handshake with 16 flows, and what follows it.
func shaken(t *testing.T, path func() conntest.Path) report.Result {
	t.Helper()
	return followed(t, path, nil)
}

// followed is shaken, or only what follows such a result.
func followed(t *testing.T, path func() conntest.Path, of *report.Result) (r report.Result) {
	t.Helper()
	p := &plan.Plan{Paths: 16, Alpha: 1e-3, PacketsPerSecond: 1000, Sources: map[string][]int{"kn1": {0}},
		Targets:   []plan.Target{{Address: conntest.Remote.Addr(), Port: conntest.Remote.Port()}},
		Scenarios: []plan.Scenario{{Type: "Handshake"}}}
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: path}
	b.Run(t, func(_ *testing.T, ctx context.Context) {
		j := newJob(p, "kn1", nil)
		env := flow.Env{Open: b.Stack.Open, Remote: conntest.Remote, Pace: conntest.Pace,
			Background: &verdict.Background{}, Alpha: j.alpha}
		j.over[0] = asked{env: env}
		if of != nil {
			j.results[0] = *of
		} else {
			j.add(0, report.Unanswered(p, "kn1", report.Question{}), checkAlone(ctx, j, env))
		}
		j.conclude(ctx)
		r = j.results[0]
	})
	return r
}

// onSYNs is a path without impairments, but for SYNs, or SYN-ACKs: nth counts those of a source port, from 0.
func onSYNs(flags segment.Flags, path func(nth int) []time.Duration) func() conntest.Path {
	return func() conntest.Path {
		seen := map[uint16]int{}
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			if s.Flags != flags {
				return []time.Duration{conntest.Delay}
			}
			port := s.Source.Port()
			if !toPeer {
				port = s.Destination.Port()
			}
			seen[port]++
			return path(seen[port] - 1)
		}
	}
}

var arrives = []time.Duration{conntest.Delay}

// lostWith loses SYNs by their place in the connection, or by chance.
func lostWith(lost func(nth int) bool) func() conntest.Path {
	return onSYNs(segment.SYN, func(nth int) []time.Duration {
		if lost(nth) {
			return nil
		}
		return arrives
	})
}

// bucket lets so many SYNs through: one each interval, and so many at once.
func bucket(interval time.Duration, burst int) func(int) bool {
	var last time.Time
	tokens := float64(burst)
	return func(int) bool {
		now := time.Now()
		if !last.IsZero() {
			tokens = min(tokens+float64(now.Sub(last))/float64(interval), float64(burst))
		}
		if last = now; tokens < 1 {
			return true
		}
		tokens--
		return false
	}
}

// The first SYN of each connection, or its answer, is lost: that is a finding, with the stall of a client. It is told
// which of the two, by a peer that repeats its SYN-ACK after a second.
func TestFirstSYNOfEachConnectionIsLost(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for name, c := range map[string]struct {
		path func() conntest.Path
		want report.Reason
	}{
		"first SYN": {firstSYNLost, report.SynLost},
		"first SYN, and one in twenty": {lostWith(func(nth int) bool { return nth == 0 || r.Float64() < 0.05 }),
			report.SynLost},
		"first SYN-ACK": {onSYNs(segment.SYN|segment.ACK, func(nth int) []time.Duration {
			if nth == 0 {
				return []time.Duration{time.Second} // as if lost and repeated
			}
			return arrives
		}), report.SynAckLost},
	} {
		got := shaken(t, c.path)
		h := got.Handshakes
		if got.Verdict != report.Fail || got.Reason != c.want || got.StallMillis != 1000 || got.Alpha != 1e-3 ||
			h == nil || h.Established != 16 || h.Repeated < 15 || h.SYNsRepeated < 16 || len(got.Evidence) == 0 {
			t.Errorf("%s: %s / %s, stall %d, alpha %g, %+v: %s", name, got.Verdict, got.Reason, got.StallMillis, got.Alpha, h,
				got.Message)
		}
		if got.RTTMicros == nil || got.RTTMicros.P99 > 1000 || h.ConnectMicros.Median < 200_000 {
			t.Errorf("%s: round trip %+v, connect %+v", name, got.RTTMicros, h.ConnectMicros)
		}
	}
}

// What looks like it is a Pass: losses by chance, limits on SYNs, answers that are late, what only some connections
// meet, and what only the first ones meet. Repeated SYNs are counted and told.
//
//nolint:gocognit // one table and what each row is held against
func TestFirstSYNsThatAreLostOtherwise(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	chance := func(share float64) func() conntest.Path {
		return lostWith(func(int) bool { return r.Float64() < share })
	}
	limit := func(interval time.Duration, burst int) func() conntest.Path {
		return func() conntest.Path { return lostWith(bucket(interval, burst))() }
	}
	tarpit := func(first, later time.Duration) func() conntest.Path {
		return onSYNs(segment.SYN|segment.ACK, func(nth int) []time.Duration {
			if nth == 0 {
				return []time.Duration{first}
			}
			return []time.Duration{later}
		})
	}
	for name, path := range map[string]func() conntest.Path{
		"one in ten lost": chance(0.1), "one in three lost": chance(0.33), "half lost": chance(0.5),
		"1 SYN in 300 ms": limit(300*time.Millisecond, 1), "1 SYN in 500 ms": limit(500*time.Millisecond, 1),
		"1 SYN in 800 ms": limit(800*time.Millisecond, 1), "1 SYN a second": limit(time.Second, 1),
		"5 SYNs at once":           limit(250*time.Millisecond, 5),
		"late by 300 ms":           tarpit(300*time.Millisecond, 300*time.Millisecond),
		"late by 700 ms":           tarpit(700*time.Millisecond, 700*time.Millisecond),
		"the first late by 400 ms": tarpit(400*time.Millisecond, conntest.Delay),
		"late by 950 ms":           tarpit(950*time.Millisecond, 950*time.Millisecond),
		"bursts": func() conntest.Path {
			return conntest.Dropping(conntest.DropInBursts(r, 0.3, 300*time.Millisecond))()
		},
		"all after 600 ms": late(600*time.Millisecond, 600*time.Millisecond),
	} {
		for range 5 {
			suspicious := report.Result{Scenario: "Handshake", Verdict: report.Pass, Reason: report.Established,
				Handshakes: &report.Handshakes{Established: 16, Repeated: 16}}
			if got := followed(t, path, &suspicious); got.Verdict != report.Pass || got.StallMillis != 0 {
				t.Errorf("%s: %s / %s: %s", name, got.Verdict, got.Reason, got.Message)
			}
			got := shaken(t, path)
			h := got.Handshakes
			if got.Reason == report.SynLost || got.Reason == report.SynAckLost {
				t.Errorf("%s: %s / %s: %s", name, got.Verdict, got.Reason, got.Message)
			}
			if h != nil && got.Reason == report.Established &&
				(h.Repeated > 0) != strings.Contains(got.Message, "handshakes needed more than one SYN") {
				t.Errorf("%s: %+v: %s", name, h, got.Message)
			}
			if got.Reason == report.Established && got.RTTMicros == nil {
				t.Errorf("%s: no round trip", name)
			}
		}
	}
}

// A device that drops the first SYNs only until it knows this host is told as a note: later connections are not hit.
func TestFirstSYNsUntilTheHostIsKnown(t *testing.T) {
	begun := 0
	got := shaken(t, lostWith(func(nth int) bool {
		begun += max(1-nth, 0)
		return nth == 0 && begun <= 16
	}))
	if got.Verdict != report.Pass || got.Handshakes.Repeated != 16 ||
		!strings.Contains(got.Message, "16 of 16 handshakes needed more than one SYN") {
		t.Errorf("%s / %s: %s", got.Verdict, got.Reason, got.Message)
	}
}
