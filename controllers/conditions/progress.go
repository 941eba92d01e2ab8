package conditions

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// Progress is how far the active run is.
type Progress struct {
	Number   int64
	Outcomes []probepod.Outcome
	APIError *target.Refusal // why the API server refused to create or release a pod, if it did
	Place    int             // in the queue for probe pods, from 1; 0 if there is room

	Bound    string // what the queue is for
	Overload string // the packet limit that leaves no room for another pod; "" if there is room

	Throttled bool // there is room for a pod, and the limit of creations per second holds it back
}

// Count is the number of sources in any of the states.
func (p *Progress) Count(states ...probepod.State) (n int) {
	for _, o := range p.Outcomes {
		for _, s := range states {
			if o.State == s {
				n++
			}
		}
	}
	return n
}

// reason is that of the first problem, while there is one. Else it says whether the run waits in the queue.
func (p *Progress) reason() string {
	if problems := p.problems(); len(problems) > 0 {
		return problems[0].Reason
	}
	if (p.Place > 0 || p.Overload != "") && p.Count(probepod.Starting, probepod.Probing) == 0 {
		return v1alpha1.ReasonQueued
	}
	return v1alpha1.ReasonRunning
}

func (p *Progress) problems() []probepod.Outcome {
	var out []probepod.Outcome
	for _, o := range p.Outcomes {
		if o.Reason != "" {
			out = append(out, o)
		}
	}
	if p.APIError != nil {
		out = append(out, probepod.Outcome{Reason: p.APIError.Reason, Message: p.APIError.Message})
	}
	return out
}

// notYet names the nodes that probe and have not reported, once others have.
func (p *Progress) notYet() string {
	var names []string
	for _, o := range p.Outcomes {
		if o.Source != "" && o.Reason == "" && (o.State == probepod.Starting || o.State == probepod.Probing) {
			names = append(names, o.Source)
		}
	}
	if len(names) == 0 || p.Count(probepod.Reported) == 0 {
		return ""
	}
	return ", not yet " + text.Several(names)
}

func (p *Progress) message() string {
	parts := []string{fmt.Sprintf("run %d: %d of %d nodes reported%s", p.Number, p.Count(probepod.Reported),
		len(p.Outcomes), p.notYet())}
	if n := p.Count(probepod.NoPod); n > 0 {
		wait := fmt.Sprintf("%d wait for a probe pod", n)
		if p.Place > 0 {
			wait += fmt.Sprintf(", place %d in the queue for %s", p.Place, cmp.Or(p.Bound, "probe pods"))
		}
		if p.Overload != "" {
			wait += ", because " + p.Overload + " are taken"
		}
		parts = append(parts, wait)
	}
	var problems []string
	for _, o := range p.problems() {
		problems = append(problems, strings.TrimSpace(strings.TrimPrefix(text.Sentence(o.Source, o.Reason, o.Message), ": ")))
	}
	if len(problems) > 0 {
		parts = append(parts, text.Listed(problems))
	}
	return strings.Join(parts, "; ")
}
