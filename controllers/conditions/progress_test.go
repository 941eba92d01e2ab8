package conditions

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

func TestProgress(t *testing.T) {
	noPod, done := probepod.Outcome{Source: "kn1"}, probepod.Outcome{Source: "kn2", State: probepod.Reported}
	for name, c := range map[string]struct {
		progress Progress
		reason   string
		message  string
	}{
		"queued": {Progress{Number: 2, Outcomes: []probepod.Outcome{noPod, noPod}, Place: 4}, v1alpha1.ReasonQueued,
			"run 2: 0 of 2 nodes reported; 2 wait for a probe pod, place 4 in the queue for probe pods"},
		"next": {Progress{Number: 2, Outcomes: []probepod.Outcome{noPod, done}, Place: 1}, v1alpha1.ReasonQueued,
			"run 2: 1 of 2 nodes reported; 1 wait for a probe pod, place 1 in the queue for probe pods"},
		"next, and others are probing": {Progress{Number: 2, Outcomes: []probepod.Outcome{noPod,
			{State: probepod.Probing}}, Place: 1}, v1alpha1.ReasonRunning,
			"run 2: 0 of 2 nodes reported; 1 wait for a probe pod, place 1 in the queue for probe pods"},
		"overload": {Progress{Number: 2, Outcomes: []probepod.Outcome{noPod}, Overload: "500 of 500 packets a second"},
			v1alpha1.ReasonQueued, "run 2: 0 of 1 nodes reported; 1 wait for a probe pod, " +
				"because 500 of 500 packets a second are taken"},
		"bounded by a node": {Progress{Number: 2, Outcomes: []probepod.Outcome{noPod}, Place: 2,
			Bound: "the 5 probe pods on node kn1"}, v1alpha1.ReasonQueued, "run 2: 0 of 1 nodes reported; " +
			"1 wait for a probe pod, place 2 in the queue for the 5 probe pods on node kn1"},
		"one is late": {Progress{Number: 2, Outcomes: []probepod.Outcome{done, {Source: "kn3", State: probepod.Probing}}},
			v1alpha1.ReasonRunning, "run 2: 1 of 2 nodes reported, not yet kn3"},
		"none has reported": {Progress{Number: 2, Outcomes: []probepod.Outcome{{Source: "kn3", State: probepod.Probing}}},
			v1alpha1.ReasonRunning, "run 2: 0 of 1 nodes reported"},
		"far behind": {Progress{Number: 2, Outcomes: []probepod.Outcome{noPod, noPod}, Place: 100}, v1alpha1.ReasonQueued,
			"run 2: 0 of 2 nodes reported; 2 wait for a probe pod, place 100 in the queue for probe pods"},
		"at the end": {Progress{Number: 2, Outcomes: []probepod.Outcome{noPod, noPod}, Place: 900}, v1alpha1.ReasonQueued,
			"run 2: 0 of 2 nodes reported; 2 wait for a probe pod, place 900 in the queue for probe pods"},
		"in waves": {Progress{Number: 2, Outcomes: []probepod.Outcome{noPod, done}}, v1alpha1.ReasonRunning,
			"run 2: 1 of 2 nodes reported; 1 wait for a probe pod"},
		"throttled": {Progress{Number: 2, Outcomes: []probepod.Outcome{noPod, done}, Throttled: true},
			v1alpha1.ReasonRunning, "run 2: 1 of 2 nodes reported; 1 wait for a probe pod"},
		"on its way": {Progress{Number: 1, Outcomes: []probepod.Outcome{done, {State: probepod.Probing}}},
			v1alpha1.ReasonRunning, "run 1: 1 of 2 nodes reported"},
		"API error": {Progress{Number: 1, Outcomes: []probepod.Outcome{noPod},
			APIError: target.Waiting(v1alpha1.ReasonQuota, "exceeded quota")}, v1alpha1.ReasonQuota,
			"run 1: 0 of 1 nodes reported; 1 wait for a probe pod; Quota: exceeded quota"},
		"in trouble": {Progress{Number: 1, Outcomes: []probepod.Outcome{done, {Source: "kn3", State: probepod.Lost,
			Reason: v1alpha1.ReasonNodeGone, Message: "the node was deleted"}}}, v1alpha1.ReasonNodeGone,
			"run 1: 1 of 2 nodes reported; kn3: NodeGone: the node was deleted"},
	} {
		if r, m := c.progress.reason(), c.progress.message(); r != c.reason || m != c.message {
			t.Errorf("%s: %s, %q; want %s, %q", name, r, m, c.reason, c.message)
		}
	}
}
