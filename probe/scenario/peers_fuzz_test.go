package scenario_test

import (
	"context"
	"encoding/binary"
	"flag"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
)

// question is one check that a flow may be asked.
type question struct{ scenario, variant string }

func (q question) String() string { return q.scenario + " " + q.variant }

// questions are those of every scenario and variant.
var questions = func() (all []question) {
	for _, name := range slices.Sorted(maps.Keys(scenario.Registry)) {
		variants := scenario.Registry[name].Variants
		if len(variants) == 0 {
			variants = []string{""}
		}
		for _, v := range variants {
			all = append(all, question{name, v})
		}
	}
	return all
}()

// Bounds of one flow.
const (
	endTime     = 3 * time.Second        // beyond its deadline, to end what it began, as in a run
	lastLook    = 500 * time.Millisecond // at the guard's counters
	mostRecords = 20_000
)

// played is a flow that a script decided.
type played struct {
	question
	flow.Outcome
	legal bool
	took  time.Duration
	limit time.Duration
	sent  int
	paid  int
}

// play runs one flow against the peer of a script: a legal one behind an impaired path, or an illegal one.
func play(t *testing.T, text []byte) played {
	t.Helper()
	return playOn(t, text, nil)
}

// playOn is play on a path that the script does not decide.
func playOn(t *testing.T, text []byte, path func() conntest.Path) (p played) {
	t.Helper()
	s := newScript(text)
	p.question, p.legal = questions[s.upTo(len(questions))], s.oneIn(2)
	p.limit = 50 * time.Second
	peer, spec := legalPeer(s, p.scenario)
	bench := &conntest.Bench{Peer: peer}
	switch {
	case path != nil:
		bench.Path = path
	case p.legal:
		bench.Path = impaired(s)
	default:
		p.limit = time.Second + s.upToTime(50*time.Second)
		bench.Peer = &illegalPeer{Peer: peer, script: s, rate: 3 + s.upTo(30)}
	}
	bench.Run(t, func(_ *testing.T, ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, p.limit)
		defer cancel()
		ending, stop := context.WithTimeout(context.WithoutCancel(ctx), p.limit+endTime)
		defer stop()
		bench.Stack.Ending = ending
		e := flowtest.Env(bench)
		e.Spec = spec
		var mu sync.Mutex
		pay := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			p.paid += n
		}
		e.Take = func() { pay(1) }
		e.TryTake = func() bool { pay(1); return true }
		e.Pace = func(ctx context.Context, n int) error { pay(n); return conntest.Pace(ctx, n) }
		begun := time.Now()
		p.Outcome = scenario.Registry[p.scenario].Flow(p.variant)(ctx, e)
		p.took = time.Since(begun)
		p.sent = len(bench.Wire.Sent())
	})
	return p
}

// check says what is wrong with a flow. What an illegal peer is called is not: it may be anything.
func (p played) check(t *testing.T, text []byte) {
	t.Helper()
	if p.legal && p.Verdict == report.Fail {
		t.Errorf("script %q: %s: %s / %s: %s\n%s", text, p.question, p.Verdict, p.Reason, p.Message, p.Evidence)
	}
	if p.took > p.limit+endTime+lastLook {
		t.Errorf("script %q: %s took %v of %v", text, p.question, p.took, p.limit)
	}
	if p.sent > p.paid {
		t.Errorf("script %q: %s sent %d segments and was allowed %d", text, p.question, p.sent, p.paid)
	}
	if len(p.Records) > mostRecords || len(p.Evidence) > mostRecords {
		t.Errorf("script %q: %s keeps %d records and %d lines", text, p.question, len(p.Records), len(p.Evidence))
	}
}

// FuzzPeer: whatever a peer answers, no flow panics, none overruns its time, and what follows RFC 9293 is not blamed.
func FuzzPeer(f *testing.F) {
	for i := range questions {
		f.Add([]byte{byte(i), 0}) // legal
		f.Add([]byte{byte(i), 1}) // not
	}
	f.Fuzz(func(t *testing.T, text []byte) { play(t, text).check(t, text) })
}

// TestPeersFindAFault: the same check is not silent where a segment at 0 is dropped.
func TestPeersFindAFault(t *testing.T) {
	text := []byte{byte(slices.Index(questions, question{"SequenceWrap", "Push"})), 0,
		1, 1, 3} // a peer that sends DSACKs and does not close
	if p := playOn(t, text, conntest.Dropping(conntest.PushAtZero)); p.Verdict != report.Fail {
		t.Errorf("%s: %s / %s: %s\n%s", p.question, p.Verdict, p.Reason, p.Message, p.Evidence)
	}
}

var (
	flows = flag.Int("flows", 0, "how many flows TestPeers plays; 0: 2000, or 300 with -short")
	from  = flag.Uint64("from", 1, "the seed of their scripts")
)

// TestPeers plays many scripts, and counts.
func TestPeers(t *testing.T) {
	n := *flows
	switch {
	case n == 0 && testing.Short():
		n = 300
	case n == 0:
		n = 2000
	}
	random := rand.New(rand.NewPCG(*from, 2))
	counts := map[string]map[report.Verdict]int{}
	for i := range n {
		text := []byte{byte(i % len(questions)), byte(i / len(questions) % 2)}
		text = binary.BigEndian.AppendUint64(text, random.Uint64())
		p := play(t, text)
		p.check(t, text)
		kind := "illegal " + p.scenario
		if p.legal {
			kind = "legal " + p.scenario
		}
		if counts[kind] == nil {
			counts[kind] = map[report.Verdict]int{}
		}
		counts[kind][p.Verdict]++
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%-20s %v", kind, counts[kind])
	}
	t.Logf("%d flows from seed %d", n, *from)
}
