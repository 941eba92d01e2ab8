package verdict

import (
	"fmt"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// unexplainedAlpha bounds the error of taking a Pass back because suspects were lost more often than controls. It is
// small because the segments of a flow that delivered its suspect are no random sample.
const unexplainedAlpha = 1e-5

// FarMore reports whether suspects were lost far more often than controls.
func FarMore(suspects, controls *report.Segments) bool {
	return suspects != nil && controls != nil && farMoreP(suspects, controls) <= unexplainedAlpha
}

func farMoreP(suspects, controls *report.Segments) float64 {
	return moreOftenP(Count{suspects.Sent, suspects.Lost}, Count{controls.Sent, controls.Lost})
}

// WithLosses is a result of SequenceWrap beside what its flows lost together. No Pass stands where that were suspects
// far more often than controls, though each flow delivered one in the end and no question told why.
func WithLosses(r report.Result) report.Result {
	if r.Scenario != "SequenceWrap" || r.Verdict != report.Pass || !FarMore(r.Suspects, r.Controls) {
		return r
	}
	r.Verdict, r.Reason = report.Inconclusive, report.LossUnexplained
	r.Message = fmt.Sprintf("each flow delivered a suspect in the end, but %d of %d suspects were lost, and %d of %d "+
		"controls (p = %.1e): something at 0 is harmed, and no question told by which rule", r.Suspects.Lost,
		r.Suspects.Sent, r.Controls.Lost, r.Controls.Sent, farMoreP(r.Suspects, r.Controls))
	return r
}
