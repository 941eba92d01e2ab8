package verdict

import (
	"errors"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

var full = OverflowTest{Alpha: 1e-7, Rounds: []Round{{Block{16, 24}, 0}}}

var fillings = []struct {
	name    string
	f       Filling
	verdict report.Verdict
	want    report.Reason
}{
	{"overflow", Filling{Cap: 10, Least: 6, First: IgnoredSyn, Test: full, UnderWay: IgnoredAck, InProgress: full},
		report.Fail, report.QueueOverflowed},
	{"a handshake in progress was reset", Filling{Cap: 10, Least: 6, First: IgnoredSyn, Test: full, UnderWay: ResetIt},
		report.Fail, report.QueueOverflowed},
	{"SYNs are refused, and a handshake in progress was reset", Filling{Cap: 10, Least: 6, First: ResetIt, Refusals: 3,
		BeaconsAnswered: 8, SYNRefused: true, UnderWay: ResetIt}, report.Fail, report.QueueOverflowed},
	{"a handshake in progress was completed", Filling{Cap: 10, Least: 6, First: IgnoredSyn, Test: full,
		Concurrent: true, Overtook: 2, Beacons: Count{24, 0}}, report.Inconclusive, report.SynLimited},
	{"a handshake was completed, and the SYN before it may have been lost", Filling{Cap: 10, Least: 6,
		First: IgnoredSyn, Test: full, Concurrent: true, Overtook: 2, Beacons: Count{48, 17}}, report.Inconclusive,
		report.QueueOrLimit},
	{"a handshake was completed, and as many SYNs before it as are hardly lost", Filling{Cap: 10, Least: 6,
		First: IgnoredSyn, Test: full, Concurrent: true, Overtook: 5, Beacons: Count{48, 17}}, report.Inconclusive,
		report.SynLimited},
	{"handshakes in progress were completed only before", Filling{Cap: 10, Least: 6, First: IgnoredSyn, Test: full,
		Concurrent: true}, report.Inconclusive, report.QueueOrLimit},
	{"SYNs are refused, and a handshake in progress was completed", Filling{Cap: 10, Least: 6, First: ResetIt,
		Refusals: 3, BeaconsAnswered: 8, SYNRefused: true, Concurrent: true,
		Overtook: 1}, report.Inconclusive, report.SynLimited},
	{"a handshake was completed, and four SYNs before it may have been lost", Filling{Cap: 10, Least: 6,
		First: IgnoredSyn, Test: full, Concurrent: true, Overtook: 4, Beacons: Count{48, 17}}, report.Inconclusive,
		report.QueueOrLimit},
	{"a handshake was completed, and the path loses one in 99 at most", Filling{Cap: 10, Least: 6, First: IgnoredSyn,
		Test: full, Concurrent: true, Overtook: 1, Beacons: Count{98, 0}}, report.Inconclusive, report.QueueOrLimit},
	{"a handshake was completed, and the path loses one in 100 at most", Filling{Cap: 10, Least: 6, First: IgnoredSyn,
		Test: full, Concurrent: true, Overtook: 1, Beacons: Count{99, 0}}, report.Inconclusive, report.SynLimited},
	{"SYNs are refused, and none before a handshake was completed", Filling{Cap: 10, Least: 6, First: ResetIt,
		Refusals: 3, BeaconsAnswered: 8, SYNRefused: true, Concurrent: true}, report.Inconclusive, report.QueueOrLimit},
	{"final ACKs are reset, and a handshake in progress was completed", Filling{Cap: 10, Least: 6, First: ResetIt,
		Refusals: 3, BeaconsAnswered: 8, Concurrent: true, Overtook: 9, Beacons: Count{24, 0}}, report.Inconclusive,
		report.QueueOrLimit},
	{"nothing was in progress", Filling{Cap: 10, Least: 6, First: IgnoredSyn, Test: full}, report.Inconclusive,
		report.QueueOrLimit},
	{"room for one handshake and two connections", Filling{Cap: 10, Least: 2, First: IgnoredSyn, Test: full,
		Asked: true, OnEstablished: Count{2, 0}}, report.Fail, report.QueueOverflowed},
	{"the same, and a SYN on an established connection is answered", Filling{Cap: 10, Least: 2, First: IgnoredSyn,
		Test: full, Asked: true, OnEstablished: Count{2, 1}}, report.Fail, report.QueueOverflowed},
	{"the same, and SYNs on established connections are lost", Filling{Cap: 10, Least: 2, First: IgnoredSyn,
		Test: full, Asked: true, OnEstablished: Count{2, 2}}, report.Inconclusive, report.QueueOrLimit},
	{"the same, and free after the end", Filling{Cap: 10, Least: 2, First: IgnoredSyn, Test: full, Asked: true,
		Freed: true, OnEstablished: Count{2, 0}}, report.Inconclusive, report.QueueOrLimit},
	{"all SYNs are answered", Filling{Cap: 10, Least: 6, First: IgnoredAck, Test: full, Concurrent: true,
		UnderWay: IgnoredAck, InProgress: full}, report.Inconclusive, report.QueueOrLimit},
	{"the final ACK is reset in a row", Filling{Cap: 10, Least: 6, First: ResetIt, Refusals: 3, BeaconsAnswered: 8},
		report.Inconclusive, report.QueueOrLimit},
	{"handshakes only before the filling", Filling{Cap: 10, Before: 32, SparesSilent: true}, report.Inconclusive,
		report.QueueOrLimit},
	{"all established, many segments ignored", Filling{Cap: 10, Least: 10, Ignored: Count{30, 8},
		Beacons: Count{24, 0}}, report.Inconclusive, report.QueueOrLimit},
	{"all established, ignored by chance once in 60", Filling{Cap: 10, Least: 10, Ignored: Count{1, 1},
		Beacons: Count{59, 0}}, report.Pass, report.NotReached},
	{"all established, ignored by chance once in 101", Filling{Cap: 10, Least: 10, Ignored: Count{1, 1},
		Beacons: Count{100, 0}}, report.Inconclusive, report.QueueOrLimit},
	{"all established, ignored in a row", Filling{Cap: 10, Least: 10, Ignored: Count{30, 2}, Beacons: Count{24, 0},
		Ignoring: 1}, report.Inconclusive, report.QueueOrLimit},
	{"all established, as many lost as beacons", Filling{Cap: 10, Least: 10, Ignored: Count{30, 8},
		Beacons: Count{24, 6}}, report.Pass, report.NotReached},
	{"reset once", Filling{Observation: Observation{PeerReset: true}, Cap: 10, Least: 6, First: ResetIt, Refusals: 1,
		BeaconsAnswered: 8}, report.Inconclusive, report.PeerReset},
	{"reset, and the others are gone too",
		Filling{Observation: Observation{PeerReset: true}, Cap: 10, Least: 6, First: ResetIt,
			Refusals: 3}, report.Inconclusive, report.PeerReset},
	{"all the places asked for", Filling{Cap: 10, Least: 10}, report.Pass, report.NotReached},
	{"nothing answers", Filling{Cap: 10}, report.Inconclusive, report.PathDown},
	{"SYN-ACKs only", Filling{Observation: Observation{Opening: open}, Cap: 10}, report.Inconclusive, report.PathDown},
	{"refused in the middle", Filling{Observation: Observation{Opening: conn.Opening{Answer: conn.ICMPError}}, Cap: 10,
		Least: 3}, report.Inconclusive, report.PathDown},
	{"the path died", Filling{Cap: 10, Least: 6, Test: OverflowTest{Alpha: 1e-7, Rounds: []Round{{Block{16, 24}, 24}}}},
		report.Inconclusive, report.PathDown},
	{"four new ports are ignored", Filling{Cap: 10, Least: 6, SkippedPorts: 4}, report.Inconclusive, report.SynLimited},
	{"three new ports are ignored", Filling{Cap: 10, Least: 6, SkippedPorts: 3}, report.Inconclusive, report.PathLossy},
	{"chance", Filling{Cap: 10, Least: 6, Test: OverflowTest{Alpha: 1e-7, Rounds: []Round{{Block{1, 24}, 3}}}},
		report.Inconclusive, report.PathLossy},
	{"no time", Filling{Cap: 10, Least: 6}, report.Inconclusive, report.PathLossy},
	{"guard incomplete beats an overflow",
		Filling{Observation: Observation{Guard: unclean}, Cap: 10, Least: 6,
			Test: full, UnderWay: ResetIt}, report.Inconclusive, report.GuardIncomplete},
	{"fault beats all", Filling{Observation: Observation{Fault: errors.New("no memory")}, Cap: 10, Least: 10},
		report.Inconclusive, report.ProberFault},
}

func TestAcceptQueueChain(t *testing.T) {
	for _, c := range fillings {
		if f := AcceptQueue(&c.f); f.Verdict != c.verdict || f.Reason != c.want {
			t.Errorf("%s: %s / %s (%s), want %s / %s", c.name, f.Verdict, f.Reason, f.Message, c.verdict, c.want)
		}
	}
}

// The message says how many connections fit, what clients see, how certain the result is, and what helps.
func TestOverflowMessage(t *testing.T) {
	stalled := Filling{Cap: 600, Least: 512, First: IgnoredSyn, UnderWay: ResetIt, Test: full, Asked: true}
	slow := Filling{Cap: 600, Least: 7, More: 3, First: IgnoredSyn, UnderWay: IgnoredAck, InProgress: full, Test: full,
		Asked: true, Freed: true}
	for _, c := range []struct {
		f     Filling
		words []string
	}{
		{stalled, []string{"512 connections get a place", "SYN of the next gets no answer", "tcp_abort_on_overflow",
			"16 of 16", "p = 1.6e-11", "only the application's accept() does"}},
		{Filling{Cap: 600, Least: 6, First: IgnoredSyn, Test: full, UnderWay: ResetIt}, []string{"The run ended before"}},
		{slow, []string{"after 7 connections", "3 more", "SO_REUSEPORT", "comes to nothing",
			"the application accepts, but more slowly"}},
	} {
		found := AcceptQueue(&c.f)
		for _, words := range c.words {
			if !strings.Contains(found.Message, words) {
				t.Errorf("message lacks %q: %s", words, found.Message)
			}
		}
		if !found.Tested {
			t.Error("the finding does not state its error")
		}
	}
	if b := stalled.Behaviour(); b != ResetIt {
		t.Errorf("behaviour %s, want what clients notice first", b)
	}
}

// Where a limit is as likely as a queue, the message says both and what tells them apart.
func TestMessageOfUnattributedRejections(t *testing.T) {
	for _, c := range []struct {
		f     Filling
		words []string
	}{
		{Filling{Cap: 100, Least: 28, First: IgnoredSyn, Test: full, Concurrent: true, Overtook: 2,
			OnEstablished: Count{8, 8}, Beacons: Count{24, 0}},
			[]string{"after 28 connections the SYN of the next gets no answer", "do not reach the listener", "limits SYNs"}},
		{Filling{Cap: 100, Least: 10, First: ResetIt, SYNRefused: true, Refusals: 3, BeaconsAnswered: 8, Concurrent: true,
			Overtook: 1, OnEstablished: Count{8, 0}, Asked: true, Freed: true},
			[]string{"was completed all the same", "limits new connections", "accepts slowly", "limit of connections at once"}},
		{Filling{Cap: 100, Least: 6, First: IgnoredAck, Test: full}, []string{"SYN proxy", "queue is full"}},
	} {
		found := AcceptQueue(&c.f)
		if found.Tested != (c.f.Refusals == 0) {
			t.Errorf("tested %t: %s", found.Tested, found.Message)
		}
		for _, words := range append(c.words, "ss -lnt", "ListenOverflows") {
			if !strings.Contains(found.Message, words) {
				t.Errorf("message lacks %q: %s", words, found.Message)
			}
		}
	}
}

// What else than a queue may be the reason, by what was seen of SYNs and of handshakes in progress.
func TestHypotheses(t *testing.T) {
	completed := Filling{Concurrent: true, Overtook: 2, Beacons: Count{100, 0}}
	with := func(f Filling, first string) Filling { f.First = first; return f }
	for _, c := range []struct {
		f      Filling
		begins string
	}{
		{Filling{First: IgnoredSyn, OnEstablished: Count{1, 1}}, "SYNs on established connections get no answer either"},
		{Filling{First: IgnoredSyn, OnEstablished: Count{2, 1}}, "What becomes of a handshake in progress would tell"},
		{Filling{First: IgnoredSyn}, "What becomes of a handshake in progress would tell"},
		{with(completed, IgnoredSyn), "A handshake in progress was completed all the same"},
		{with(completed, IgnoredAck), "Its SYN was answered"},
		{Filling{First: IgnoredSyn, UnderWay: IgnoredAck}, "A handshake in progress came to nothing too"},
		{Filling{First: IgnoredAck, UnderWay: IgnoredAck}, "Its SYN was answered"},
	} {
		if got := c.f.hypotheses(); !strings.HasPrefix(got, c.begins) {
			t.Errorf("%+v: %s; want %s", c.f, got, c.begins)
		}
	}
	const fresh = ". After all connections were reset a fresh one "
	for want, f := range map[string]Filling{
		"": {},
		fresh + "was established, as after a limit of connections at once": {Asked: true, Freed: true},
		fresh + "still was not established, as with an application that accepts nothing, or a limit of the rate": {
			Asked: true},
	} {
		if got := f.later(); got != want {
			t.Errorf("%s; want %s", got, want)
		}
	}
}

func TestMostCountsAllConnections(t *testing.T) {
	f := Filling{Least: 6, More: 2, First: IgnoredAck}
	if f.Most() != 8 || f.Behaviour() != IgnoredAck {
		t.Errorf("%d, %s", f.Most(), f.Behaviour())
	}
}
