package report

import (
	"encoding/json"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// Group describes several targets with the same check, verdict, reason and rule.
type Group struct {
	Check       int    // index into plan.Checks()
	Also        string // further checks, which are other variants of the scenario, with the same content, as ranges: "2-5"
	Verdict     Verdict
	Reason      Reason
	Rule        string
	Message     string // of the first target and check
	Targets     string // positions in plan.Sources[node], as ranges: "0-3,7"
	Flows       Flows  // sums over all
	Alpha       float64
	StallMillis int64    // maximum over all
	Share       *Share   // from the same target and check as the message
	Queue       *Queue   // smallest Least and largest Most over all targets; Freed if all were freed
	Evidence    []string // essential lines from the first target and check that has any
}

// Checks lists the group's checks.
func (g Group) Checks() []int { return append([]int{g.Check}, indices(g.Also)...) }

// merged joins groups of variants of one scenario that have the same targets, verdict, reason and rule. So a path on
// which one rule drops thirteen variants is one group.
func merged(groups []Group, checks []plan.Check) []Group {
	type common struct {
		scenario      int
		verdict       Verdict
		reason        Reason
		rule, targets string
	}
	first := make(map[common]int)
	also := make(map[int][]int)
	var out []Group
	for _, g := range groups {
		k := common{checks[g.Check].Scenario, g.Verdict, g.Reason, g.Rule, g.Targets}
		i, known := first[k]
		if !known {
			first[k] = len(out)
			out = append(out, g)
			continue
		}
		also[i] = append(also[i], g.Check)
		out[i].join(g)
	}
	for i, more := range also {
		out[i].Also = formatPositions(more)
	}
	return out
}

// join adds the numbers of another variant's group.
func (g *Group) join(o Group) {
	g.add(Result{Flows: o.Flows, Alpha: o.Alpha, StallMillis: o.StallMillis, Queue: o.Queue})
	if len(g.Evidence) == 0 {
		g.Evidence = o.Evidence
	}
}

func (g *Group) add(r Result) {
	g.Flows = g.Flows.plus(r.Flows)
	g.Alpha = max(g.Alpha, r.Alpha)
	g.StallMillis = max(g.StallMillis, r.StallMillis)
	g.Queue = g.Queue.Plus(r.Queue)
	if len(g.Evidence) == 0 {
		g.Evidence = essential(r.Evidence).Texts()
	}
}

// Plus combines the results of two queues. nil is ignored.
func (q *Queue) Plus(o *Queue) *Queue {
	switch {
	case q == nil:
		return o
	case o == nil:
		return q
	}
	return &Queue{Least: min(q.Least, o.Least), Most: max(q.Most, o.Most), Behaviour: q.Behaviour,
		Freed: q.Freed && o.Freed}
}

// withoutDetails returns g without its optional parts.
func (g Group) withoutDetails() Group {
	g.Message, g.Share, g.Queue, g.Evidence = "", nil, nil, nil
	return g
}

// addMessage adds numbers and message to a group without details as far as there is room.
func (g *Group) addMessage(whole Group, left *room) {
	if whole.Queue != nil && left.take(`"q":`, whole.Queue.wire()) {
		g.Queue = whole.Queue
	}
	if whole.Share != nil && left.take(`"h":`, whole.Share.wire()) {
		g.Share = whole.Share
	}
	if whole.Message != "" && left.take(`"m":`, whole.Message) {
		g.Message = whole.Message
	}
}

// addEvidence adds evidence as far as there is room.
func (g *Group) addEvidence(whole Group, left *room) {
	if len(whole.Evidence) == 0 || !left.take(`"e":`, []string{}) {
		return
	}
	for _, line := range whole.Evidence {
		if !left.take("", line) {
			return
		}
		g.Evidence = append(g.Evidence, line)
	}
}

// wireGroup is the JSON form of a Group. Its member names are short to save room in the termination message.
type wireGroup struct {
	Check    int        `json:"c"`
	Also     string     `json:"o,omitempty"`
	Verdict  Verdict    `json:"v"`
	Reason   Reason     `json:"r"`
	Rule     string     `json:"u,omitempty"`
	Message  string     `json:"m,omitempty"`
	Targets  string     `json:"t"`
	Flows    [4]int     `json:"f"` // tried, pass, fail, inconclusive
	Alpha    float64    `json:"a,omitempty"`
	Stall    int64      `json:"s,omitempty"` // milliseconds
	Share    *wireShare `json:"h,omitempty"`
	Queue    *wireQueue `json:"q,omitempty"`
	Evidence []string   `json:"e,omitempty"`
}

type wireShare struct {
	Counts [2]int     `json:"n"` // failed, of
	Bounds [3]float64 `json:"b"` // low, high, coverage
	Ports  []uint16   `json:"p,omitempty"`
}

type wireQueue struct {
	Counts    [2]int `json:"n"` // least, most
	Behaviour string `json:"b,omitempty"`
	Freed     bool   `json:"f,omitempty"`
}

func (s *Share) wire() *wireShare {
	if s == nil {
		return nil
	}
	return &wireShare{[2]int{s.Failed, s.Of}, [3]float64{s.Low, s.High, s.Coverage}, s.Ports}
}

func (w *wireShare) share() *Share {
	if w == nil {
		return nil
	}
	return &Share{w.Counts[0], w.Counts[1], w.Bounds[0], w.Bounds[1], w.Ports, w.Bounds[2]}
}

func (q *Queue) wire() *wireQueue {
	if q == nil {
		return nil
	}
	return &wireQueue{[2]int{q.Least, q.Most}, q.Behaviour, q.Freed}
}

func (w *wireQueue) queue() *Queue {
	if w == nil {
		return nil
	}
	return &Queue{w.Counts[0], w.Counts[1], w.Behaviour, w.Freed}
}

// bounded returns s with numbers that JSON can hold, rounded to four decimal places, and with at most MaxPorts ports.
func (s *Share) bounded() *Share {
	if s == nil {
		return nil
	}
	b := *s
	b.Low, b.High, b.Coverage = roundedShare(s.Low), roundedShare(s.High), roundedShare(s.Coverage)
	b.Ports = slices.Clone(s.Ports[:min(len(s.Ports), MaxPorts)])
	return &b
}

func (q *Queue) bounded() *Queue {
	if q == nil {
		return nil
	}
	b := *q
	b.Behaviour = ascii(q.Behaviour, maxWord)
	return &b
}

// MarshalJSON writes a wireGroup.
func (g Group) MarshalJSON() ([]byte, error) {
	return marshal(wireGroup{
		g.Check, g.Also, g.Verdict, g.Reason, g.Rule, g.Message, g.Targets,
		[4]int{g.Flows.Tried, g.Flows.Pass, g.Flows.Fail, g.Flows.Inconclusive},
		g.Alpha, g.StallMillis, g.Share.wire(), g.Queue.wire(), g.Evidence,
	}), nil
}

// UnmarshalJSON reads a wireGroup.
func (g *Group) UnmarshalJSON(b []byte) error {
	var w wireGroup
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*g = Group{
		w.Check, w.Also, w.Verdict, w.Reason, w.Rule, w.Message, w.Targets,
		Flows{w.Flows[0], w.Flows[1], w.Flows[2], w.Flows[3]},
		w.Alpha, w.Stall, w.Share.share(), w.Queue.queue(), w.Evidence,
	}
	return nil
}
