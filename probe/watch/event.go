package watch

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Kind is what an event tells.
type Kind string

// Kinds of events. Reports comes every second, whatever happens.
const (
	Begins       Kind = "Begins"       // the first answer
	Suspected    Kind = "Suspected"    // suspects were lost in a row
	Dismissed    Kind = "Dismissed"    // but that may have been chance
	Fails        Kind = "Fails"        // a finding
	AlsoFails    Kind = "AlsoFails"    // another variant fails as well
	Rule         Kind = "Rule"         // which rules of devices fit
	Cleared      Kind = "Cleared"      // the finding has ended
	FlowDead     Kind = "FlowDead"     // one connection is silent, others are not
	PathDown     Kind = "PathDown"     // no connection comes about
	Back         Kind = "Back"         // it is over
	NotAsked     Kind = "NotAsked"     // connections stand, but old bytes get no answer
	Touches      Kind = "Touches"      // connections are not held
	NeedsConsent Kind = "NeedsConsent" // nothing more is asked
	Interferes   Kind = "Interferes"   // this host's kernel interferes, or the guard is incomplete
	Reports      Kind = "Reports"      // the state of a path
	Ends         Kind = "Ends"         // the watch of a path is over
	Summary      Kind = "Summary"      // of all paths
	Unable       Kind = "Unable"       // the watch could not begin
)

// Event is something that happened on a path.
type Event struct {
	Time     time.Time      `json:"time"`
	Kind     Kind           `json:"event"`
	Target   string         `json:"target,omitempty"`
	Path     int            `json:"path,omitempty"` // from 1
	Port     uint16         `json:"port,omitempty"` // source port of its connection
	State    State          `json:"state,omitempty"`
	Verdict  report.Verdict `json:"verdict,omitempty"`
	Reason   report.Reason  `json:"reason,omitempty"`
	Variants []string       `json:"variants,omitempty"`
	P        float64        `json:"p,omitempty"`
	Rules    []string       `json:"rules,omitempty"`
	Message  string         `json:"message,omitempty"`
	Evidence []string       `json:"evidence,omitempty"`
	RTT      time.Duration  `json:"rttNanos,omitempty"` // smoothed
	Counts   *Count         `json:"counts,omitempty"`
}

func (p *Path) tell(now time.Time, e Event) {
	e.Time, e.State = now, p.state
	p.events = append(p.events, e)
}

// Events returns what happened since it was called last.
func (p *Path) Events() []Event {
	all := p.events
	p.events = nil
	return all
}

// Report is the path's state.
func (p *Path) Report(now time.Time) Event {
	n := p.count
	return Event{Time: now, Kind: Reports, State: p.state, RTT: p.rtt, Counts: &n}
}
