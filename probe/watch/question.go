package watch

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// question is what a path knows of one variant.
type question struct {
	variant.Variant
	lost      int       // suspects in a row that were lost although their controls were answered
	late      int       // the same for late ones
	firstLost time.Time // when the first of those was sent
	convicted report.Reason
	arrives   bool // a suspect was answered since the path began to fail
	silent    int  // rounds in a row of which nothing came back, while those of others were answered
}

// silentQuestion is after how many such rounds a variant counts as one that cannot be asked.
const silentQuestion = 5

func (q *question) unasked() bool { return q.silent >= silentQuestion }

// conspicuous reports whether the last suspect was lost or late, and it is not known yet that all are.
func (q *question) conspicuous() bool { return q.convicted == "" && q.lost+q.late > 0 }

// miss counts a suspect that was lost, or that came late.
func (q *question) miss(a *Ask, late bool) {
	if q.lost+q.late == 0 {
		q.firstLost = a.sent
	}
	if late {
		q.late++
	} else {
		q.lost++
	}
}

// revoke counts one that had counted as lost as late.
func (q *question) revoke() {
	if q.lost > 0 {
		q.lost, q.late = q.lost-1, q.late+1
	}
}

func (q *question) acquit() { q.lost, q.late = 0, 0 }

// pursued is the question whose last suspect was lost or late; nil if there is none.
func (p *Path) pursued() *question {
	for _, q := range p.questions {
		if q.conspicuous() {
			return q
		}
	}
	return nil
}

// nextQuestion is the one that is pursued, or else the next in turn.
func (p *Path) nextQuestion() *question {
	if q := p.pursued(); q != nil {
		return q
	}
	p.turn++
	return p.questions[p.turn%len(p.questions)]
}

// recent remembers the last of many: which of them failed.
type recent struct {
	failed [200]bool
	n      int
}

func (c *recent) add(failed bool) {
	c.failed[c.n%len(c.failed)] = failed
	c.n++
}

// share is how many of the last ones failed.
func (c *recent) share() float64 {
	n := min(c.n, len(c.failed))
	failed := 0
	for _, f := range c.failed[:n] {
		if f {
			failed++
		}
	}
	return float64(failed) / float64(max(1, n))
}

// enough is how many suspects in a row are suspicious where such a share of the controls is lost or late. It decides
// whether a block is sent, and nothing else.
func enough(share float64) int {
	switch {
	case share <= 0.02:
		return 3
	case share <= 0.05:
		return 4
	}
	return 5
}
