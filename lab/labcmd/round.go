package labcmd

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// campaignRound has the results of a campaign's runs with the same faults, as `-o json` prints it. A run is all checks
// of one target.
type campaignRound struct {
	Fault        string         `json:"fault"`
	Runs         int            `json:"runs"`
	Flows        int            `json:"flows"`
	Blaming      int            `json:"convicted"`      // runs that blame sequence 0
	Wrong        int            `json:"wrong"`          // runs that blame sequence 0, or pass it, wrongly
	Late         int            `json:"late,omitempty"` // results that report it as late, where it is
	Verdicts     []verdictCount `json:"verdicts"`
	SegmentsSent int            `json:"segmentsSent"`
	Reports      quantiles      `json:"reports"`     // sizes and times of reports; one report has one run or a batch
	LeakedFlows  int            `json:"leakedFlows"` // connections that the server showed to hold still
	// state in the server's kernel afterwards: sockets and tracked connections
	Left           map[string]int      `json:"left"`
	Switch         []lab.FaultCounters `json:"switch,omitempty"`
	DurationMicros int64               `json:"durationMicros"`

	planned int     // runs
	sent    []int   // sent segments of each report
	took    []int64 // microseconds of each report
	faults  []fault.Fault
	truth   groundTruth
	mu      sync.Mutex
}

// quantiles has median, 99 % quantile and maximum over the reports.
type quantiles struct {
	MedianSegments int   `json:"medianSegments"`
	NearlySegments int   `json:"nearlySegments"` // 99 of 100 reports have no more
	MostSegments   int   `json:"mostSegments"`
	MedianMicros   int64 `json:"medianMicros"`
	NearlyMicros   int64 `json:"nearlyMicros"`
	MostMicros     int64 `json:"mostMicros"`
}

// groundTruth is the effect of a fault on the segments that SequenceWrap compares.
type groundTruth string

const (
	unrelated groundTruth = "innocent" // affects suspect and control alike
	dropsAll  groundTruth = "certain"  // drops every suspect and no control
	dropsSome groundTruth = "partial"  // drops the suspects of some flows, or some of them
	late      groundTruth = "late"     // delays every suspect, and drops as many as of others
)

// verdictCount is the number of results with the same verdict and reason.
type verdictCount struct {
	Scenario string         `json:"scenario"`
	Variant  string         `json:"variant,omitempty"`
	Verdict  report.Verdict `json:"verdict"`
	Reason   report.Reason  `json:"reason"`
	Count    int            `json:"count"`
	Example  string         `json:"example,omitempty"` // message of one result that did not pass
}

func newRound(faults []fault.Fault, runs int) *campaignRound {
	var names []string
	for _, f := range faults {
		names = append(names, f.Name)
	}
	return &campaignRound{Fault: strings.Join(names, " + "), planned: runs, faults: faults, truth: groundTruthOf(faults),
		Left: map[string]int{}}
}

func groundTruthOf(faults []fault.Fault) groundTruth {
	suspect, control := arriving(faults, pushAt(0)), arriving(faults, pushAt(1<<32-1))
	held := func(f fault.Fault) bool { return f.Impairment != nil && f.Impairment.AtZero.Hold > 0 }
	switch suspect {
	case control:
		if slices.ContainsFunc(faults, held) {
			return late
		}
		return unrelated
	case 0:
		return dropsAll
	}
	return dropsSome
}

// arriving returns the share of segments like s that the switch forwards.
func arriving(faults []fault.Fault, s *segment.Segment) float64 {
	share := 1.0
	for _, f := range faults {
		share *= 1 - f.Loss(s, fault.In)
	}
	return share
}

// pushAt returns a byte of data as SequenceWrap sends it: at 0 it is the suspect, before it the control.
func pushAt(n uint32) *segment.Segment {
	return &segment.Segment{Seq: seq.At(n), Flags: segment.PSH | segment.ACK, Payload: []byte{'x'}}
}

// add adds a report of one or more runs.
func (r *campaignRound) add(found report.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.LeakedFlows += found.LeakedFlows
	r.SegmentsSent += found.SegmentsSent
	r.sent, r.took = append(r.sent, found.SegmentsSent), append(r.took, found.DurationMicros)
	runs := map[string]report.Verdict{} // for each target: the verdict about sequence 0
	for _, res := range found.Results {
		if r.truth == late && res.Verdict == report.Fail && saysLate(res.Reason) {
			r.Late++
			res.Verdict = report.Pass // of what counts here: it is not said to be lost
		}
		runs[res.Target] = worse(runs[res.Target], res)
		r.Flows += res.Flows.Tried
	}
	for _, res := range found.Results {
		r.count(res)
	}
	for _, v := range runs {
		r.Runs++
		if v == report.Fail {
			r.Blaming++
		}
		if (r.truth == unrelated || r.truth == late) && v == report.Fail || r.truth == dropsAll && v == report.Pass {
			r.Wrong++
		}
	}
}

// saysLate reports whether a reason blames a delay at 0: of crafted segments, or of the kernel's connections that
// retransmit because of it.
func saysLate(r report.Reason) bool {
	return r == report.SequenceZeroDelayed || r == report.SequenceZeroStalled
}

// worse returns a run's verdict about sequence 0 after one more result.
func worse(v report.Verdict, res report.Result) report.Verdict {
	if res.Scenario != "SequenceWrap" {
		return v
	}
	return report.Worst(v, res.Verdict)
}

func (r *campaignRound) count(res report.Result) {
	key := verdictCount{Scenario: res.Scenario, Variant: res.Variant, Verdict: res.Verdict, Reason: res.Reason}
	at, seen := slices.BinarySearchFunc(r.Verdicts, key, compareVerdicts)
	if !seen {
		if res.Verdict != report.Pass {
			key.Example = res.Message
		}
		r.Verdicts = slices.Insert(r.Verdicts, at, key)
	}
	r.Verdicts[at].Count++
}

func compareVerdicts(a, b verdictCount) int {
	return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Variant, b.Variant),
		cmp.Compare(a.Verdict, b.Verdict), cmp.Compare(a.Reason, b.Reason))
}

// close adds the results of one work item.
func (r *campaignRound) close(left map[string]int, counted []lab.FaultCounters, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for state, n := range left {
		r.Left[state] += n
	}
	if r.Switch == nil {
		r.Switch = make([]lab.FaultCounters, len(counted))
	}
	for i, c := range counted {
		sum := &r.Switch[i]
		sum.Fault = c.Fault
		sum.In.Seen, sum.In.Dropped = sum.In.Seen+c.In.Seen, sum.In.Dropped+c.In.Dropped
		sum.Out.Seen, sum.Out.Dropped = sum.Out.Seen+c.Out.Seen, sum.Out.Dropped+c.Out.Dropped
	}
	r.DurationMicros = max(r.DurationMicros, took.Microseconds())
}

// left returns how many sockets and tracked connections were left.
func (r *campaignRound) left() (n int) {
	for held := range maps.Values(r.Left) {
		n += held
	}
	return n
}

// finish computes what needs all reports.
func (r *campaignRound) finish() {
	if len(r.sent) == 0 {
		return
	}
	slices.Sort(r.sent)
	slices.Sort(r.took)
	n := len(r.sent)
	middle, nearly, last := n/2, (99*n+99)/100-1, n-1
	r.Reports = quantiles{r.sent[middle], r.sent[nearly], r.sent[last], r.took[middle], r.took[nearly], r.took[last]}
}
