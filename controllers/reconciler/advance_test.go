package reconciler

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/conditions"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

func TestPoll(t *testing.T) {
	noPod, done := probepod.Outcome{Source: "kn1"}, probepod.Outcome{Source: "kn2", State: probepod.Reported}
	for name, c := range map[string]struct {
		progress conditions.Progress
		poll     time.Duration
	}{
		"queued": {conditions.Progress{Number: 2, Outcomes: []probepod.Outcome{noPod, noPod}, Place: 4}, queuePoll},
		"far behind": {conditions.Progress{Number: 2, Outcomes: []probepod.Outcome{noPod, noPod}, Place: 100},
			11 * queuePoll},
		"at the end": {conditions.Progress{Number: 2, Outcomes: []probepod.Outcome{noPod, noPod}, Place: 900}, queueEndPoll},
		"in waves":   {conditions.Progress{Number: 2, Outcomes: []probepod.Outcome{noPod, done}}, queuePoll},
		"throttled": {conditions.Progress{Number: 2, Outcomes: []probepod.Outcome{noPod, done}, Throttled: true},
			releasePoll},
		"on its way": {conditions.Progress{Number: 1, Outcomes: []probepod.Outcome{done, {State: probepod.Probing}}},
			runPoll},
		"API error": {conditions.Progress{Number: 1, Outcomes: []probepod.Outcome{noPod},
			APIError: target.Waiting(v1alpha1.ReasonQuota, "exceeded quota")}, queuePoll},
		"in trouble": {conditions.Progress{Number: 1, Outcomes: []probepod.Outcome{done, {Source: "kn3",
			State: probepod.Lost, Reason: v1alpha1.ReasonNodeGone, Message: "the node was deleted"}}}, runPoll},
	} {
		if p := poll(&c.progress); p != c.poll {
			t.Errorf("%s: %v; want %v", name, p, c.poll)
		}
	}
}
