package report

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
)

// APIVersion is the version of Report and Summary. Added members do not change it. Changed meanings do.
const APIVersion = "report.tcpprobe.dev/v1alpha1"

// PathType says in what form packets cross the network between source and target.
type PathType string

// Types of paths.
const (
	Routed   PathType = "Routed"   // the network forwards the probe's own segments
	Overlay  PathType = "Overlay"  // the network forwards the packets of a tunnel
	SameNode PathType = "SameNode" // there is no network between them, only one kernel
	Unknown  PathType = "Unknown"
)

// Report has all results of one run from one source.
type Report struct {
	APIVersion     string    `json:"apiVersion"`
	Run            string    `json:"run"`
	Source         Source    `json:"source"`
	Kernel         string    `json:"kernel"`
	Started        time.Time `json:"started"`
	DurationMicros int64     `json:"durationMicros"`
	Guard          Guard     `json:"guard"`
	SegmentsSent   int       `json:"segmentsSent"`
	LeakedFlows    int       `json:"leakedFlows"` // connections that their targets showed to hold still, after the end
	// connections of which nothing showed whether their targets hold them still
	UnconfirmedFlows int `json:"unconfirmedFlows,omitempty"`
	// the worker did not end by itself: how many segments it sent is not known
	Partial bool `json:"partial,omitempty"`
	// results without a verdict because the time was over, or the prober was stopped or killed
	Unfinished int      `json:"unfinished,omitempty"`
	Results    []Result `json:"results"`
	// by target, where the plan asks for them
	KernelConnections []KernelConnections `json:"kernelConnections,omitempty"`
	// pcapng with the packets that show the failures, at most MaxCapture bytes
	Capture []byte `json:"capture,omitempty"`
}

// Source describes the host from which the run probed.
type Source struct {
	Node    string `json:"node,omitempty"`
	Address string `json:"address,omitempty"`
}

// Guard sums the guard's counters over all flows.
type Guard struct {
	Mode          string `json:"mode"` // tcx or clsact
	Stolen        uint64 `json:"stolen"`
	ResetsDropped uint64 `json:"resetsDropped"`
}

// Result is the result of one scenario (and variant) for one target.
type Result struct {
	Name        string         `json:"name,omitempty"` // the scenario's name in the resource, if it has one
	Scenario    string         `json:"scenario"`
	Variant     string         `json:"variant,omitempty"`
	Target      string         `json:"target"` // address:port
	Via         string         `json:"via,omitempty"`
	Family      string         `json:"family"` // IPv4 or IPv6
	PathType    PathType       `json:"pathType"`
	Rule        string         `json:"rule,omitempty"`
	Verdict     Verdict        `json:"verdict"`
	Reason      Reason         `json:"reason"`
	Message     string         `json:"message"`
	Flows       Flows          `json:"flows"`
	Alpha       float64        `json:"alpha"` // bound on a false Fail, corrected for multiple tests; 0: no test
	RTTMicros   *RTT           `json:"rttMicros,omitempty"`
	Handshakes  *Handshakes    `json:"handshakes,omitempty"` // of Handshake's flows that were established
	Suspects    *Segments      `json:"suspects,omitempty"`
	Controls    *Segments      `json:"controls,omitempty"`
	Share       *Share         `json:"share,omitempty"`    // set if all flows agree, or the path decides
	NextHops    []NextHop      `json:"nextHops,omitempty"` // of flows with a verdict; nil: all left by the plain route's
	Queue       *Queue         `json:"queue,omitempty"`    // for AcceptQueue
	StallMillis int64          `json:"stallMillis"`
	Covers      *Coverage      `json:"covers,omitempty"` // of a Pass of SequenceWrap
	Evidence    evidence.Lines `json:"evidence,omitempty"`

	// Answers is the plan's question of this result. It is not in JSON, and nil in a report that was read from JSON.
	Answers *Question `json:"-"`
}

// Share says how many of the paths are affected, as far as the flows show.
type Share struct {
	Failed int      `json:"failed"`          // flows
	Of     int      `json:"of"`              // number of flows with a verdict
	Low    float64  `json:"low"`             // 95 % Clopper-Pearson interval of Failed / Of
	High   float64  `json:"high"`            //
	Ports  []uint16 `json:"ports,omitempty"` // source ports of failed flows, at most MaxPorts
	// estimated probability that the flows would include a bad path of this share, or of 1/16 if none failed
	Coverage float64 `json:"coverage"`
}

// Queue is what AcceptQueue measured at the target's listener.
type Queue struct {
	Least     int    `json:"least"`     // established connections before the first overflow
	Most      int    `json:"most"`      // established in total; more than Least with several queues, or if accepted
	Behaviour string `json:"behaviour"` // what happens to a connection beyond the queue: IgnoredSyn, IgnoredAck, Reset
	Freed     bool   `json:"freed"`     // a new connection was established after all others had been reset
}

// Flows counts the flows of a result by verdict.
type Flows struct {
	Tried        int `json:"tried"`
	Pass         int `json:"pass"`
	Fail         int `json:"fail"`
	Inconclusive int `json:"inconclusive"`
}

// RTT has the round-trip times of the flows, in microseconds: from SYN to SYN-ACK, or of a later segment if the SYN was
// repeated.
type RTT struct {
	Min    int64 `json:"min"`
	Median int64 `json:"median"`
	P99    int64 `json:"p99"`
}
