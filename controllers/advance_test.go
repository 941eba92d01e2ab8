package controllers

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

func TestLookAgain(t *testing.T) {
	unmade, done := Outcome{Source: "kn1"}, Outcome{Source: "kn2", State: Reported}
	for name, c := range map[string]struct {
		progress Progress
		poll     time.Duration
	}{
		"queued":     {Progress{Number: 2, Outcomes: []Outcome{unmade, unmade}, Place: 4}, queuePoll},
		"far behind": {Progress{Number: 2, Outcomes: []Outcome{unmade, unmade}, Place: 100}, 11 * queuePoll},
		"at the end": {Progress{Number: 2, Outcomes: []Outcome{unmade, unmade}, Place: 900}, farPoll},
		"in waves":   {Progress{Number: 2, Outcomes: []Outcome{unmade, done}}, queuePoll},
		"throttled":  {Progress{Number: 2, Outcomes: []Outcome{unmade, done}, Throttled: true}, releasePoll},
		"on its way": {Progress{Number: 1, Outcomes: []Outcome{done, {State: Probing}}}, runPoll},
		"hindered":   {Progress{Number: 1, Outcomes: []Outcome{unmade}, Hindered: held(v1alpha1.ReasonQuota, "exceeded quota")}, queuePoll},
		"in trouble": {Progress{Number: 1, Outcomes: []Outcome{done, {Source: "kn3", State: Lost, Reason: v1alpha1.ReasonNodeGone, Message: "the node was deleted"}}}, runPoll},
	} {
		if p := poll(&c.progress); p != c.poll {
			t.Errorf("%s: %v; want %v", name, p, c.poll)
		}
	}
}
