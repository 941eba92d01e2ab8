package watch

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

type segmentBlock = segment.SACKBlock

// fail publishes a finding.
func (p *Path) fail(now time.Time, q *question, reason report.Reason, t tally, chance float64) {
	p.claim, p.well = nil, 0
	p.finding = &finding{reason: reason, since: now}
	p.state = Failing
	p.count.Findings++
	for _, other := range p.questions {
		other.convicted, other.arrives = "", false
	}
	q.convicted = reason
	if !p.cleared.IsZero() && now.Sub(p.cleared) < flapping {
		p.clearAfter = min(2*p.clearAfter, max(mostClear, p.settings.ClearAfter))
	} else {
		p.clearAfter = p.settings.ClearAfter
	}
	p.tell(now, Event{Kind: Fails, Verdict: report.Fail, Reason: reason, Variants: []string{q.Name}, P: chance,
		Message: describe(q, reason, t, chance) + "; two connections from the same port, one after the other, agree"})
	p.nameRule(now)
}

// describe says what a block showed.
func describe(q *question, reason report.Reason, t tally, chance float64) string {
	what, suspects, others := "is lost", t.suspectsLost, t.controlsLost
	if reason == report.SequenceZeroDelayed {
		what, suspects, others = "comes late", t.suspectsLate, t.controlsLate
	}
	return fmt.Sprintf("%s at sequence 0 %s: %d of %d, and %d of %d of the same at other numbers, in random order "+
		"(p = %.1e)", q.Suspect, what, suspects, t.Suspects, others, t.Beacons, chance)
}

// nameRule says which rules of devices explain what is lost, once it is known of every variant.
func (p *Path) nameRule(now time.Time) {
	f := p.finding
	if f == nil || f.said || f.reason != report.SequenceZeroDropped {
		return
	}
	reasons := map[string]report.Reason{}
	for _, q := range p.questions {
		switch {
		case q.convicted != "":
			reasons[q.Name] = q.convicted
		case q.arrives:
			reasons[q.Name] = report.Delivered
		default:
			return
		}
	}
	f.said = true
	fit := verdict.FitRules(reasons)
	e := Event{Kind: Rule, Verdict: report.Fail, Reason: f.reason, Rules: fit.Fits,
		Message: fit.Explain(verdictOf(p.questions), false)}
	if fit.Rule != nil {
		e.Rules = []string{fit.Rule.Name}
	}
	p.tell(now, e)
}

// verdictOf lists which variants are lost and which arrive.
func verdictOf(all []*question) string {
	var parts []string
	for _, q := range all {
		fate := " arrives"
		if q.convicted != "" {
			fate = " is lost"
		}
		parts = append(parts, q.Name+fate)
	}
	return strings.Join(parts, ", ")
}

// When a finding is cleared.
const (
	enoughWell = 30 // suspects answered in a row
	flapping   = 10 * time.Minute
	mostClear  = 30 * time.Minute
)

// noteWell counts the suspects that are answered on a path that fails, and clears the finding after enough.
func (p *Path) noteWell(now time.Time, q *question, o outcome) {
	if !p.failed() {
		return
	}
	arrived := o == healthy || o == controlLost
	if q.convicted == "" {
		if arrived && !q.arrives {
			q.arrives = true
			p.nameRule(now)
		}
		return
	}
	if !arrived {
		p.well = 0
		return
	}
	if p.well++; p.well == 1 {
		p.wellSince = now
	}
	if p.well >= enoughWell && now.Sub(p.wellSince) >= p.clearAfter {
		p.clear(now)
	}
}

func (p *Path) clear(now time.Time) {
	p.tell(now, Event{Kind: Cleared, Reason: p.finding.reason, Message: fmt.Sprintf(
		"%d suspects in a row were answered, for %s; it had failed for %s", p.well, rounded(now.Sub(p.wellSince)),
		rounded(now.Sub(p.finding.since)))})
	for _, q := range p.questions {
		q.convicted, q.arrives = "", false
	}
	p.finding, p.state, p.cleared = nil, Healthy, now
}

func rounded(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
