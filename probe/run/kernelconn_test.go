package run

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
)

// asks are connections that a test makes up.
type asks struct {
	made   atomic.Int64
	answer func(kernelconn.Question) (kernelconn.Result, error)
}

func (a *asks) ask(_ context.Context, q kernelconn.Question) (kernelconn.Result, error) {
	a.made.Add(1)
	r, err := a.answer(q)
	r.Size, r.Crossing = q.Size, q.Crossing
	return r, err
}

// kernelTestOf carries out the whole test with the given connections.
func kernelTestOf(ctx context.Context, a *asks, confirm bool) report.KernelConnections {
	k := &kernelTest{env: flow.Env{Remote: conntest.Remote, Pace: conn.Pace(conntest.Pace), Take: func() {}},
		alpha: 3e-5, payloads: flow.Payloads(plan.Scenario{}, 0), ask: a.ask, patience: kernelPatience,
		openings: newOpenings(nil, netip.AddrPort{}, nil),
		screened: make(chan struct{})}
	k.screen(ctx)
	close(k.screened)
	if confirm {
		k.confirm(ctx)
	}
	return k.conclude()
}

func part(again int) kernelconn.Part {
	return kernelconn.Part{Sent: true, Acknowledged: true, Took: time.Millisecond, Retransmissions: again}
}

// through is a connection that got through, with so many retransmissions of its data.
func through(again int) kernelconn.Result {
	return kernelconn.Result{Fate: kernelconn.Acknowledged, Opened: true, Control: part(0),
		Data: part(again), Rest: part(0), SegmentsSent: 7}
}

func TestKernelTest(t *testing.T) {
	refused := fmt.Errorf("%w: EPERM", kernelconn.ErrRefused)
	for _, c := range []struct {
		name    string
		answer  func(kernelconn.Question) (kernelconn.Result, error)
		outcome report.KernelOutcome
		made    int64 // 0: more than the first ones
		says    string
	}{
		{"all get through", func(kernelconn.Question) (kernelconn.Result, error) { return through(0), nil },
			report.KernelUnharmed, 12, "7 kernel connections crossed 0 unharmed"},
		{"refused", func(kernelconn.Question) (kernelconn.Result, error) { return kernelconn.Result{}, refused },
			report.KernelNotAsked, 4, "TCP_REPAIR"},
		{"short ones stall", func(q kernelconn.Question) (kernelconn.Result, error) {
			if q.Crossing && q.Size.Bytes == 3 {
				return through(1), nil
			}
			return through(0), nil
		}, report.KernelStalled, 0, "of 3 bytes that cross 0 stall"},
		{"all stall alike", func(kernelconn.Question) (kernelconn.Result, error) { return through(1), nil },
			report.KernelAlike, 0, "others as well: that harm is not a matter of 0"},
		{"none is established", func(kernelconn.Question) (kernelconn.Result, error) {
			return kernelconn.Result{Fate: kernelconn.Refused, Err: fmt.Errorf("refused")}, nil
		}, report.KernelNotAsked, 0, "this host's own connections are not established (refused)"},
		{"the application closes on a plain request", func(q kernelconn.Question) (kernelconn.Result, error) {
			if strings.HasPrefix(string(q.Payload(10)), "GET") {
				r := through(0)
				r.Fate, r.Data, r.Rest = kernelconn.Reset, kernelconn.Part{}, kernelconn.Part{}
				r.Control.Acknowledged = false
				return r, nil
			}
			return through(0), nil
		}, report.KernelUnharmed, 24, "7 kernel connections crossed 0 unharmed"},
		{"the application closes on every payload", func(kernelconn.Question) (kernelconn.Result, error) {
			r := through(0)
			r.Fate, r.Data.Acknowledged, r.Rest = kernelconn.Reset, false, kernelconn.Part{}
			return r, nil
		}, report.KernelNotAsked, 24, "the application closes"},
		{"a device resets", func(q kernelconn.Question) (kernelconn.Result, error) {
			r := through(0)
			if q.Crossing {
				r.Fate, r.Data.Acknowledged, r.Rest = kernelconn.Reset, false, kernelconn.Part{}
			}
			return r, nil
		}, report.KernelDied, 0, "that cross 0 die"},
	} {
		a := &asks{answer: c.answer}
		k := kernelTestOf(t.Context(), a, true)
		if k.Outcome != c.outcome || !strings.Contains(k.Message, c.says) || k.Target != conntest.Remote.String() {
			t.Errorf("%s: %+v", c.name, k)
		}
		if n := a.made.Load(); c.made > 0 && n > c.made || c.name == "short ones stall" && n <= 12 {
			t.Errorf("%s: %d connections", c.name, n)
		}
	}
}

// harm has connections of these sizes stall where they cross 0.
func harm(sizes ...string) *asks {
	return &asks{answer: func(q kernelconn.Question) (kernelconn.Result, error) {
		if q.Crossing && slices.Contains(sizes, q.Size.String()) {
			return through(1), nil
		}
		return through(0), nil
	}}
}

// Where only connections in flight are harmed, as many are made that are the same but wait.
func TestKernelTestInFlight(t *testing.T) {
	k := kernelTestOf(t.Context(), harm(report.SizeInFlight), true)
	counts := map[string]report.KernelSize{}
	for _, s := range k.Sizes {
		counts[s.Size] = s
	}
	harmed, waiting := counts[report.SizeInFlight], counts[report.SizeSeveral]
	if k.Outcome != report.KernelStalled || harmed.Crossing.Stalled < 10 ||
		waiting.Crossing.Unharmed != harmed.Crossing.Stalled || waiting.Control.Unharmed != 1 ||
		harmed.Control.Unharmed != harmed.Crossing.Stalled-1 {
		t.Errorf("%+v", k)
	}
	if k = kernelTestOf(t.Context(), harm("3"), true); k.Outcome != report.KernelStalled {
		t.Errorf("short ones: %+v", k)
	}
	for _, s := range k.Sizes {
		if s.Size == report.SizeSeveral && s.Crossing.Told() != 1 {
			t.Errorf("short ones: %+v", s)
		}
	}
}

// What was to be in flight and was not tells nothing. It is tried again, and the message says if it never was.
func TestKernelTestOvertaken(t *testing.T) {
	for _, c := range []struct {
		times, tries int64
		says         string
	}{
		{flightTries - 1, flightTries, "7 kernel connections crossed 0 unharmed (1, 3, 100, MSS and 3*MSS bytes, in " +
			"flight, across 0)"},
		{flightTries, flightTries, "6 kernel connections crossed 0 unharmed (1, 3, 100, MSS and 3*MSS bytes, across 0); " +
			"none had data in flight there: what is before 0 was acknowledged before the next segments had left"},
	} {
		var inFlight atomic.Int64
		k := kernelTestOf(t.Context(), &asks{answer: func(q kernelconn.Question) (kernelconn.Result, error) {
			if q.Size.Order == kernelconn.InFlight && inFlight.Add(1) <= c.times {
				r := through(0)
				r.Fate, r.Data.Acknowledged, r.Rest = kernelconn.Overtaken, false, kernelconn.Part{}
				return r, nil
			}
			return through(0), nil
		}}, true)
		if k.Outcome != report.KernelUnharmed || k.Message != c.says || inFlight.Load() != c.tries {
			t.Errorf("%d of %d not in flight: %+v", c.times, inFlight.Load(), k)
		}
	}
}

// A size of which chance harmed one does not hide the one that is harmed.
func TestKernelTestBesideChance(t *testing.T) {
	a := harm(report.SizeInFlight)
	always, once := a.answer, atomic.Bool{}
	a.answer = func(q kernelconn.Question) (kernelconn.Result, error) {
		if q.Crossing && q.Size.Bytes == 1 && !once.Swap(true) {
			return through(1), nil
		}
		return always(q)
	}
	if k := kernelTestOf(t.Context(), a, true); k.Outcome != report.KernelStalled {
		t.Errorf("%+v", k)
	}
}

// A confirmation that the deadline cuts decides nothing, and one that could not even begin says so.
func TestKernelTestIsCut(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a := &asks{}
	a.answer = func(q kernelconn.Question) (kernelconn.Result, error) {
		if a.made.Load() > 11 {
			cancel()
		}
		if q.Crossing {
			return through(1), nil
		}
		return through(0), nil
	}
	if k := kernelTestOf(ctx, a, true); k.Outcome != report.KernelUndecided || k.Alpha != 0 {
		t.Errorf("cut: %+v", k)
	}
	if k := kernelTestOf(ctx, a, true); k.Outcome != report.KernelNotAsked ||
		!strings.Contains(k.Message, "time was over") {
		t.Errorf("not begun: %+v", k)
	}
}

// Two are made at a time. Where the handshake takes long, only those count whose handshake is in progress.
func TestKernelConnectionsAtOnce(t *testing.T) {
	for handshake, want := range map[time.Duration]int64{acceptTime - 1: kernelAtOnce, acceptTime: 12} {
		synctest.Test(t, func(t *testing.T) {
			var open, most atomic.Int64
			kernelTestOf(t.Context(), &asks{answer: func(q kernelconn.Question) (kernelconn.Result, error) {
				most.Store(max(most.Load(), open.Add(1)))
				defer open.Add(-1)
				time.Sleep(handshake)
				q.Completed(handshake)
				time.Sleep(time.Minute)
				return through(0), nil
			}}, false)
			if most.Load() != want {
				t.Errorf("handshakes of %v: %d at once, want %d", handshake, most.Load(), want)
			}
		})
	}
}

// What a connection shows is read with care: its end may be the application's doing.
func TestSampleOf(t *testing.T) {
	silent := through(2)
	silent.Fate, silent.Data.Acknowledged, silent.Rest = kernelconn.Silent, false, kernelconn.Part{}
	afterwards := through(0)
	afterwards.Fate, afterwards.Rest.Acknowledged = kernelconn.Reset, false
	died := through(0)
	died.Fate, died.Data.Acknowledged, died.Rest = kernelconn.Reset, false, kernelconn.Part{}
	before := through(0)
	before.Fate, before.Data, before.Rest = kernelconn.Reset, kernelconn.Part{}, kernelconn.Part{}
	overtaken := died
	overtaken.Fate = kernelconn.Overtaken
	for _, c := range []struct {
		name  string
		r     kernelconn.Result
		short bool
		fate  string
	}{
		{"through", through(0), false, "unharmed"}, {"again", through(1), true, "stalled"},
		{"silent", silent, false, "silent"},
		{"silent for a moment", silent, true, "stalled"}, {"reset afterwards", afterwards, false, "unharmed"},
		{"reset", died, false, "died"}, {"reset before", before, false, "void"},
		{"not in flight", overtaken, false, "void"},
		{"not opened", kernelconn.Result{Fate: kernelconn.Refused}, false, "void"},
	} {
		names := []string{"void", "unharmed", "stalled", "silent", "died"}
		if got := names[sampleOf(c.r, c.short).Fate]; got != c.fate {
			t.Errorf("%s: %s, want %s", c.name, got, c.fate)
		}
	}
}

// What a run had found of a check before it was killed says that no kernel connection confirms it.
func TestUnconfirmed(t *testing.T) {
	const says = "m; not confirmed by a kernel connection: the run ended before they were judged"
	passed := report.Result{Scenario: "SequenceWrap", Variant: "Push", Verdict: report.Pass, Message: "m"}
	for setting, want := range map[string]string{"": says, plan.Off: "m"} {
		j := &job{plan: &plan.Plan{KernelConnections: setting}}
		if got := j.unconfirmed(passed); got.Verdict != report.Pass || got.Message != want {
			t.Errorf("%q: %+v", setting, got)
		}
	}
}
