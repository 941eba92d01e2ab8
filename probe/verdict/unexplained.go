package verdict

import (
	"fmt"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Losses is what became of the suspects and controls of flows that passed.
type Losses struct{ Suspects, Controls *report.Segments }

// farMoreAlpha bounds the error of asking once more because suspects were lost more often than controls, and of taking
// a Pass back.
const farMoreAlpha = 1e-5

// FarMore reports whether suspects were lost far more often than controls.
func (l Losses) FarMore() bool {
	return l.Suspects != nil && l.Controls != nil && l.p() <= farMoreAlpha
}

func (l Losses) p() float64 {
	return moreOftenP(Count{l.Suspects.Sent, l.Suspects.Lost}, Count{l.Controls.Sent, l.Controls.Lost})
}

func (l Losses) String() string {
	return fmt.Sprintf("%d of %d suspects were lost, and %d of %d controls (p = %.1e)", l.Suspects.Lost, l.Suspects.Sent,
		l.Controls.Lost, l.Controls.Sent, l.p())
}

// WithLosses is a result whose flows lost suspects far more often than controls, beside those that were asked after
// them. A burst of loss hits the suspects of several flows at once, but not twice: no Pass stands where that was so in
// both, though each flow delivered one in the end and no question told why.
func WithLosses(r report.Result, first, again Losses) report.Result {
	switch {
	case r.Verdict != report.Pass:
	case again.FarMore():
		r.Verdict, r.Reason = report.Inconclusive, report.LossUnexplained
		r.Message = fmt.Sprintf("each flow delivered a suspect in the end, but %s, and in flows asked before them %s: "+
			"something at 0 is harmed, and no question told by which rule", again, first)
	default:
		r.Message += fmt.Sprintf("; in flows before them %s, in these no longer", first)
	}
	return r
}
