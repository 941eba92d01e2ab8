package main

import (
	"fmt"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/supervisor"
	"github.com/tcpprobe/tcpprobe/probe/watch"
)

// watchSum sums a watch up.
type watchSum struct {
	paths  int
	ended  []report.Result // of the paths whose watch has ended
	count  watch.Count
	failed bool   // a path failed
	unable string // why the watch could not begin
}

func (s *watchSum) add(e watch.Event) {
	switch e.Kind {
	case watch.Unable:
		s.unable = e.Message
	case watch.Fails:
		s.failed = true
	case watch.Ends:
		s.ended = append(s.ended, report.Result{Verdict: e.Verdict})
		s.count = s.count.Plus(*e.Counts)
	}
}

// verdict is Fail if a path failed, and otherwise Inconclusive if something is not known of every path.
func (s *watchSum) verdict() report.Verdict {
	switch {
	case s.failed:
		return report.Fail
	case len(s.ended) < s.paths:
		return report.Inconclusive
	}
	return report.Report{Results: s.ended}.Verdict()
}

// event is the summary.
func (s *watchSum) event(end supervisor.Watched, took time.Duration) watch.Event {
	n := s.count
	n.StillHeldByIt += end.Held
	n.NotSeenToEnd += end.Left - end.Reset - end.Held
	text := fmt.Sprintf("watched %d paths for %s: %d pairs, %d suspects lost, %d late, %d controls lost, %d pairs "+
		"without any answer, %d void; %d suspicions, %d findings; %d connections, %d ended by the peer", s.paths,
		took.Round(time.Second), n.Rounds, n.SuspectsLost, n.Late, n.ControlsLost, n.Silent, n.Void, n.Suspicions,
		n.Findings, n.Connections, n.EndedByPeer)
	if n.StillHeldByIt+n.NotSeenToEnd > 0 {
		text += fmt.Sprintf("; left open: %d, not known of: %d", n.StillHeldByIt, n.NotSeenToEnd)
	}
	if end.Fault != "" {
		text = fmt.Sprintf("%s; of %d connections it had open %d were reset; %s", end.Fault, end.Left, end.Reset, text)
	}
	return watch.Event{Time: time.Now(), Kind: watch.Summary, Verdict: s.verdict(), Message: text, Counts: &n}
}
