package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/supervisor"
	"github.com/tcpprobe/tcpprobe/probe/watch"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.Local)

// reportOf is the report of a path after so many seconds.
func reportOf(path, seconds, rounds int) watch.Event {
	return watch.Event{Time: noon.Add(time.Duration(seconds) * time.Second), Kind: watch.Reports, Target: "192.0.2.2:80",
		Path: path, Port: 61234, State: watch.Healthy, RTT: 210 * time.Microsecond,
		Counts: &watch.Count{Rounds: rounds, Silent: 1, ControlsLost: 2, Late: 4, SuspectsLost: 5}}
}

// Without a terminal events are lines, and the paths are listed once a minute.
func TestWatchWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	v := newWatchView(&out, cli.Table, 2)
	v.next = noon.Add(plainEvery)
	for second := range 61 {
		v.show(reportOf(1, second, 2*second))
		v.show(reportOf(2, second, second))
	}
	v.show(watch.Event{Time: noon, Kind: watch.Fails, Target: "192.0.2.2:80", Path: 2, Port: 61234, Verdict: report.Fail,
		Reason: report.SequenceZeroDropped, Message: "it is lost"})
	const want = `PATH  TARGET                 PORT   STATE    PAIRS/S       RTT MISSED   LATE   LOST
1     192.0.2.2:80           61234  healthy      2.0     210µs      3      4      5
2     192.0.2.2:80           61234  healthy      1.0     210µs      3      4      5
12:00:00 192.0.2.2:80 path 2 (port 61234): Fails, Fail / SequenceZeroDropped: it is lost
`
	var plain []string
	for line := range strings.Lines(out.String()) {
		plain = append(plain, strings.Join(strings.Fields(line), " "))
	}
	var expected []string
	for line := range strings.Lines(want) {
		expected = append(expected, strings.Join(strings.Fields(line), " "))
	}
	// the row of path 2 was not yet that of this second when the list was due
	if len(plain) != len(expected) || plain[0] != expected[0] || plain[1] != expected[1] || plain[3] != expected[3] {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

// On a terminal the rows are drawn again in their place, and events stand above them.
func TestWatchOnATerminal(t *testing.T) {
	var out bytes.Buffer
	v := newWatchView(&out, cli.Table, 2)
	v.fd = 0
	v.show(reportOf(1, 1, 1))
	out.Reset()
	v.show(reportOf(1, 2, 2))
	for line := range strings.Lines(out.String()) {
		if len(line) > usualWidth {
			t.Errorf("a row does not fit: %q", line)
		}
	}
	if !strings.HasPrefix(out.String(), "\x1b[2A\x1b[J") || strings.Count(out.String(), "192.0.2.2") != 1 {
		t.Errorf("%q", out.String())
	}
	out.Reset()
	v.show(watch.Event{Time: noon, Kind: watch.Back, Path: 1, Target: "192.0.2.2:80", Message: "again"})
	if lines := strings.Split(out.String(), "\n"); !strings.HasSuffix(lines[0], "Back: again") || len(lines) != 4 {
		t.Errorf("%q", out.String())
	}
}

// For programs every event is a line, but no report.
func TestWatchForPrograms(t *testing.T) {
	var out bytes.Buffer
	v := newWatchView(&out, cli.JSON, 1)
	v.show(reportOf(1, 1, 1))
	v.show(watch.Event{Time: noon, Kind: watch.Begins, Path: 1})
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"event":"Begins"`) {
		t.Errorf("%q", got)
	}
}

// The worst of all paths is the verdict, and a worker that did not end in order leaves it open.
func TestWatchSummary(t *testing.T) {
	ends := func(v report.Verdict) watch.Event {
		return watch.Event{Kind: watch.Ends, Verdict: v, Counts: &watch.Count{Rounds: 10}}
	}
	for name, c := range map[string]struct {
		events []watch.Event
		end    supervisor.Watched
		want   report.Verdict
		says   string
	}{
		"well": {[]watch.Event{ends(report.Pass), ends(report.Pass)}, supervisor.Watched{}, report.Pass, "20 pairs"},
		"one failed": {[]watch.Event{ends(report.Pass), ends(report.Fail)}, supervisor.Watched{}, report.Fail,
			"watched 2 paths"},
		"killed": {nil, supervisor.Watched{Fault: "the worker was killed", Left: 3, Reset: 2, Held: 1}, report.Inconclusive,
			"the worker was killed; of 3 connections it had open 2 were reset"},
		"killed after a finding": {[]watch.Event{{Kind: watch.Fails}}, supervisor.Watched{Fault: "killed"}, report.Fail,
			"killed"},
	} {
		s := watchSum{paths: 2}
		for _, e := range c.events {
			s.add(e)
		}
		if e := s.event(c.end, time.Minute); e.Verdict != c.want || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: %s, %s", name, e.Verdict, e.Message)
		}
	}
}
