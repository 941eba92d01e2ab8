package controllers

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

func TestProgressInWords(t *testing.T) {
	unmade, done := Outcome{Source: "kn1"}, Outcome{Source: "kn2", State: Reported}
	for name, c := range map[string]struct {
		progress Progress
		reason   string
		message  string
		poll     time.Duration
	}{
		"queued":     {Progress{Number: 2, Outcomes: []Outcome{unmade, unmade}, Place: 4}, v1alpha1.ReasonQueued, "run 2: 0 of 2 nodes reported; 2 wait for a probe pod, place 4 in the queue", queuePoll},
		"far behind": {Progress{Number: 2, Outcomes: []Outcome{unmade, unmade}, Place: 100}, v1alpha1.ReasonQueued, "run 2: 0 of 2 nodes reported; 2 wait for a probe pod, place 100 in the queue", 11 * queuePoll},
		"at the end": {Progress{Number: 2, Outcomes: []Outcome{unmade, unmade}, Place: 900}, v1alpha1.ReasonQueued, "run 2: 0 of 2 nodes reported; 2 wait for a probe pod, place 900 in the queue", farPoll},
		"in waves":   {Progress{Number: 2, Outcomes: []Outcome{unmade, done}}, v1alpha1.ReasonRunning, "run 2: 1 of 2 nodes reported; 1 wait for a probe pod", queuePoll},
		"throttled":  {Progress{Number: 2, Outcomes: []Outcome{unmade, done}, Throttled: true}, v1alpha1.ReasonRunning, "run 2: 1 of 2 nodes reported; 1 wait for a probe pod", releasePoll},
		"on its way": {Progress{Number: 1, Outcomes: []Outcome{done, {State: Probing}}}, v1alpha1.ReasonRunning, "run 1: 1 of 2 nodes reported", runPoll},
		"hindered": {Progress{Number: 1, Outcomes: []Outcome{unmade}, Hindered: held(v1alpha1.ReasonQuota, "exceeded quota")}, v1alpha1.ReasonQuota,
			"run 1: 0 of 1 nodes reported; 1 wait for a probe pod; Quota: exceeded quota", queuePoll},
		"in trouble": {Progress{Number: 1, Outcomes: []Outcome{done, {Source: "kn3", State: Lost, Reason: v1alpha1.ReasonNodeGone, Message: "the node was deleted"}}}, v1alpha1.ReasonNodeGone,
			"run 1: 1 of 2 nodes reported; kn3: NodeGone: the node was deleted", runPoll},
	} {
		if r, m, p := c.progress.reason(), c.progress.message(), poll(&c.progress); r != c.reason || m != c.message || p != c.poll {
			t.Errorf("%s: %s, %q, %v; want %s, %q, %v", name, r, m, p, c.reason, c.message, c.poll)
		}
	}
}
