package verdict

import (
	"errors"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

var full = OverflowTest{Alpha: 1e-7, Rounds: []Round{{Block{16, 24}, 0}}}

func TestAcceptQueueChain(t *testing.T) {
	for _, c := range []struct {
		name    string
		f       Filling
		verdict report.Verdict
		want    report.Reason
	}{
		{"overflow", Filling{Cap: 10, Least: 6, First: IgnoredSyn, Test: full}, report.Fail, report.QueueOverflowed},
		{"reset in a row", Filling{Cap: 10, Least: 6, First: ResetIt, Refusals: 3, BeaconsAnswered: 8}, report.Fail,
			report.QueueOverflowed},
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
		{"chance", Filling{Cap: 10, Least: 6, Test: OverflowTest{Alpha: 1e-7, Rounds: []Round{{Block{1, 24}, 3}}}},
			report.Inconclusive, report.PathLossy},
		{"no time", Filling{Cap: 10, Least: 6}, report.Inconclusive, report.PathLossy},
		{"guard incomplete beats an overflow",
			Filling{Observation: Observation{Guard: unclean}, Cap: 10, Least: 6,
				Test: full}, report.Inconclusive, report.GuardIncomplete},
		{"fault beats all", Filling{Observation: Observation{Fault: errors.New("no memory")}, Cap: 10, Least: 10},
			report.Inconclusive, report.ProberFault},
	} {
		if f := AcceptQueue(&c.f); f.Verdict != c.verdict || f.Reason != c.want {
			t.Errorf("%s: %s / %s (%s), want %s / %s", c.name, f.Verdict, f.Reason, f.Message, c.verdict, c.want)
		}
	}
}

// The message says how many connections fit, what clients see, how certain the result is, and what helps.
func TestOverflowMessage(t *testing.T) {
	stalled := Filling{Cap: 600, Least: 512, First: IgnoredSyn, UnderWay: ResetIt, Test: full, Asked: true}
	slow := Filling{Cap: 600, Least: 7, More: 3, First: IgnoredAck, Test: full, Asked: true, Freed: true}
	for _, c := range []struct {
		f     Filling
		words []string
	}{
		{stalled, []string{"512 connections get a place", "SYN of the next gets no answer", "tcp_abort_on_overflow",
			"16 of 16", "p = 1.6e-11", "only the application's accept() does"}},
		{Filling{Cap: 600, Least: 6, First: IgnoredSyn, Test: full}, []string{"The run ended before"}},
		{slow, []string{"after 7 connections", "3 more", "SO_REUSEPORT", "final ACK",
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

func TestMostCountsAllConnections(t *testing.T) {
	f := Filling{Least: 6, More: 2, First: IgnoredAck}
	if f.Most() != 8 || f.Behaviour() != IgnoredAck {
		t.Errorf("%d, %s", f.Most(), f.Behaviour())
	}
}
