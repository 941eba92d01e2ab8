package sequencewrap

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// check asks with several flows at once, as a run does, at the given rate and error.
func check(t *testing.T, name string, flows, perSecond int, alpha float64, b *conntest.Bench) (out []flow.Outcome) {
	t.Helper()
	b.Run(t, func(_ *testing.T, ctx context.Context) {
		e := flowtest.Env(b)
		e.Pace, e.Spec = paceOf(perSecond), plan.Scenario{}
		e.Alpha = alpha / float64(flows+1)
		e.Budget, e.Firsts = verdict.NewBudget(e.Alpha), verdict.NewFirsts(e.Alpha)
		e.Wraps, e.Alikes = verdict.NewWraps(e.Alpha), verdict.NewAlikes(e.Alpha)
		var all sync.WaitGroup
		out = make([]flow.Outcome, flows)
		for i := range out {
			all.Go(func() { out[i] = Definition.Flow(name)(ctx, e) })
		}
		all.Wait()
	})
	return out
}

// paceOf lets so many segments a second pass, of all flows together.
func paceOf(perSecond int) conn.Pace {
	var mu sync.Mutex
	var next time.Time
	return func(ctx context.Context, n int) error {
		mu.Lock()
		now := time.Now()
		if next.Before(now) {
			next = now
		}
		due := next
		next = next.Add(time.Duration(n) * time.Second / time.Duration(perSecond))
		mu.Unlock()
		return wait(ctx, due.Sub(now))
	}
}

func combined(flows []flow.Outcome) verdict.Finding {
	var findings []verdict.Finding
	for _, f := range flows {
		findings = append(findings, f.Finding)
	}
	f, _ := verdict.Combine(findings)
	return f
}

// startsAtZero are the segments of a connection's data that begin at 0.
func startsAtZero(s *segment.Segment, toPeer bool) bool {
	return toPeer && s.Seq.IsZero() && !s.Flags.Has(segment.SYN)
}

// delayed holds back what matches.
func delayed(match conntest.Drop, by time.Duration, lose conntest.Drop) func() conntest.Path {
	return func() conntest.Path {
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			switch {
			case lose(s, toPeer):
				return nil
			case match(s, toPeer):
				return []time.Duration{by}
			}
			return []time.Duration{conntest.Delay}
		}
	}
}

var (
	delays = []int{50, 200, 300, 500, 1000, 3000} // milliseconds
	rates  = []int{50, 500, 2000}
	alphas = []float64{1e-3, 1e-7}
)

// A path that holds segments at 0 back loses none: it is said to delay them, whatever the rate and the error.
func TestLateIsNotLost(t *testing.T) {
	for _, ms := range delays {
		for _, rate := range rates {
			for _, alpha := range alphas {
				t.Run(fmt.Sprintf("%d ms, %d a second, alpha %g", ms, rate, alpha), func(t *testing.T) {
					expectLate(t, 1, rate, alpha, milliseconds(ms))
					expectLate(t, 4, rate, alpha, milliseconds(ms))
				})
			}
		}
	}
}

// expectLate fails unless each of the flows says that segments at 0 are delayed.
func expectLate(t *testing.T, flows, rate int, alpha float64, by time.Duration) {
	t.Helper()
	b := &conntest.Bench{Peer: &conntest.Listener{}, Path: delayed(startsAtZero, by, conntest.DropNone)}
	o := check(t, "Push", flows, rate, alpha, b)
	for _, one := range o {
		if one.Reason != report.SequenceZeroDelayed {
			t.Errorf("%d flows: %s / %s: %s\n%s", flows, one.Verdict, one.Reason, one.Message, one.Evidence)
		}
	}
	t.Log(flows, len(b.Wire.Sent()), combined(o).Message)
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// Where others are lost as well, what is only late is never called dropped.
func TestLateIsNotLostUnderLoss(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many connections")
	}
	for _, share := range []float64{0.05, 0.2} {
		got := map[report.Reason]int{}
		for i := range 150 {
			r := rand.New(rand.NewPCG(31, uint64(i)))
			by := milliseconds(delays[i%len(delays)])
			o := check(t, "Push", 2, rates[i%3], alphas[i%2], &conntest.Bench{Peer: &conntest.Listener{},
				Path: delayed(startsAtZero, by, conntest.DropRandomly(r, share))})
			f := combined(o)
			if got[f.Reason]++; f.Reason == report.SequenceZeroDropped {
				t.Errorf("%s: %s", by, f.Message)
			}
		}
		t.Log(share, got)
	}
}

// A device that drops by length is told from one that drops all, whichever length a flow begins with.
func TestLossByLengthAtZero(t *testing.T) {
	for name, rule := range map[string]func(n int) bool{
		"below 50":   func(n int) bool { return n < 50 },
		"below 4":    func(n int) bool { return n < 4 },
		"above 100":  func(n int) bool { return n > 100 },
		"above 1000": func(n int) bool { return n > 1000 },
	} {
		t.Run(name, func(t *testing.T) {
			for _, alpha := range alphas {
				o := check(t, "Push", 6, 500, alpha, &conntest.Bench{Peer: &conntest.Listener{},
					Path: conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
						return startsAtZero(s, toPeer) && s.PayloadLen() > 0 && rule(s.PayloadLen())
					})})
				if f := combined(o); f.Reason != report.SequenceZeroDroppedBySize {
					t.Errorf("%s / %s: %s", f.Verdict, f.Reason, f.Message)
				} else {
					t.Log(f.Message)
				}
			}
		})
	}
}

// firstAtZero loses the first data of each connection that starts at 0, or holds it back.
func firstAtZero(by time.Duration) func() conntest.Path {
	return func() conntest.Path {
		seen := map[uint16]bool{}
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			switch {
			case toPeer && s.Flags.Has(segment.SYN):
				delete(seen, s.Source.Port())
			case startsAtZero(s, toPeer) && !s.Flags.Has(segment.RST) && !seen[s.Source.Port()]:
				seen[s.Source.Port()] = true
				if by == 0 {
					return nil
				}
				return []time.Duration{by}
			}
			return []time.Duration{conntest.Delay}
		}
	}
}

func TestFirstOfEachConnection(t *testing.T) {
	for by, want := range map[time.Duration]report.Reason{
		0:                       report.SequenceZeroFirstDropped,
		300 * time.Millisecond:  report.SequenceZeroDelayed,
		2500 * time.Millisecond: report.SequenceZeroDelayed,
	} {
		for _, name := range []string{"Push", "Data", "Fin", "PushFin"} {
			for _, flows := range []int{1, 4} {
				o := check(t, name, flows, 500, 1e-3, &conntest.Bench{Peer: &conntest.Listener{}, Path: firstAtZero(by)})
				f := combined(o)
				if f.Reason != want {
					t.Errorf("%s, %s, %d flows: %s / %s: %s", name, by, flows, f.Verdict, f.Reason, f.Message)
				}
				t.Log(name, f.Message)
			}
		}
	}
}

// What is lost nine times of ten is not said to be lost always, nor to arrive unless the first did.
func TestMostAreLost(t *testing.T) {
	got := map[report.Reason]int{}
	for i := range 60 {
		r := rand.New(rand.NewPCG(33, uint64(i)))
		o := check(t, "Push", 1, 500, alphas[i%2], &conntest.Bench{Peer: &conntest.Listener{},
			Path: conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
				return conntest.PushAtZero(s, toPeer) && r.Float64() < 0.9
			})})
		got[o[0].Reason]++
	}
	t.Log(got)
	if got[report.SequenceZeroDropped] > 4 || got[report.Delivered] > 15 {
		t.Errorf("%v", got)
	}
}

// No variant calls late what it sends at 0 dropped.
func TestNoVariantCallsLateDropped(t *testing.T) {
	for _, v := range sentHere {
		for _, ms := range []int{200, 500, 1000, 3000} {
			for _, rate := range []int{50, 2000} {
				o := check(t, v, 1, rate, 1e-3, &conntest.Bench{Peer: &conntest.Listener{},
					Path: delayed(suspectOf(v), milliseconds(ms), conntest.DropNone)})
				if r := o[0].Reason; r == report.SequenceZeroDropped || r == report.AckZeroDropped {
					t.Errorf("%s, %d ms, %d a second: %s", v, ms, rate, o[0].Message)
				}
				t.Log(v, ms, rate, o[0].Reason)
			}
		}
	}
}

// The waits that a conviction rests on are written as numbers here, so that nobody changes one unseen.
func TestWhatCountsAsLost(t *testing.T) {
	second := time.Second
	if lostAfter != second || convictAfter != 4*second || maxPatience != 10*second {
		t.Errorf("%s, %s, %s", lostAfter, convictAfter, maxPatience)
	}
	for _, c := range []struct{ least, longest, rtt, want time.Duration }{
		{second, 0, 0, second},
		{second, 600 * time.Millisecond, 0, 1200 * time.Millisecond},
		{4 * second, second, second, 4 * second},
		{second, 0, 700 * time.Millisecond, 2100 * time.Millisecond},
		{4 * second, 20 * second, 0, 10 * second},
	} {
		w := &wrapConn{conn: &conn.Conn{RTT: c.rtt}, copies: copies{longest: c.longest}}
		if got := w.patience(c.least); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
