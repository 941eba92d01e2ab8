package verdict

import (
	"cmp"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Combine returns the verdict over all flows of one check. It is Fail if any flow failed, because other flows may take
// other paths. It is Pass only if every flow passed. Reason and message are those of the most frequent finding with
// that verdict, and among these of a tested one.
func Combine(flows []Finding) (Finding, report.Flows) {
	n := report.Flows{Tried: len(flows)}
	byReason := map[report.Reason]int{}
	var worst report.Verdict
	for _, f := range flows {
		worst = report.Worst(worst, f.Verdict)
		switch f.Verdict {
		case report.Pass:
			n.Pass++
		case report.Fail:
			n.Fail++
		default:
			n.Inconclusive++
		}
		byReason[f.Reason]++
	}
	best := slices.MaxFunc(flows, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(agrees(a, worst), agrees(b, worst)), cmp.Compare(byReason[a.Reason], byReason[b.Reason]),
			cmp.Compare(tests(a), tests(b)))
	})
	return best, n
}

func tests(f Finding) int {
	if f.Tested {
		return 1
	}
	return 0
}

func agrees(f Finding, v report.Verdict) int {
	if f.Verdict == v {
		return 1
	}
	return 0
}

// RTT summarises the round-trip times of the flows. It is nil if none was measured.
func RTT(all []time.Duration) *report.RTT {
	if len(all) == 0 {
		return nil
	}
	s := slices.Sorted(slices.Values(all))
	at := func(share float64) int64 { return s[int(share*float64(len(s)-1))].Microseconds() }
	return &report.RTT{Min: at(0), Median: at(0.5), P99: at(0.99)}
}
