package report

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
)

// APIVersion is the version of Report and Summary. Additions keep it; a change of meaning raises it.
const APIVersion = "report.tcpprobe.dev/v1alpha1"

// PathType says what a packet between source and target crosses.
type PathType string

// Types of paths.
const (
	Routed   PathType = "Routed"   // the network sees the probe's own segments
	Overlay  PathType = "Overlay"  // the network sees a tunnel
	SameNode PathType = "SameNode" // nothing between them but one kernel
	Unknown  PathType = "Unknown"
)

// Report is everything one run found from one source.
type Report struct {
	APIVersion     string    `json:"apiVersion"`
	Run            string    `json:"run"`
	Source         Source    `json:"source"`
	Kernel         string    `json:"kernel"`
	Started        time.Time `json:"started"`
	DurationMicros int64     `json:"durationMicros"`
	Guard          Guard     `json:"guard"`
	SegmentsSent   int       `json:"segmentsSent"`
	LeakedFlows    int       `json:"leakedFlows"` // flows whose end no RST confirmed
	Results        []Result  `json:"results"`
	// by target, where the plan asks for them
	KernelConnections []KernelConnections `json:"kernelConnections,omitempty"`
	// pcapng of the packets that show what failed, at most MaxCapture bytes
	Capture []byte `json:"capture,omitempty"`
}

// Source is where the run happened.
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

// Result is one scenario (and variant) against one target.
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
	Alpha       float64        `json:"alpha"` // stated bound on a false Fail, corrected for multiplicity; 0: no test
	RTTMicros   *RTT           `json:"rttMicros,omitempty"`
	Share       *Share         `json:"share,omitempty"` // where some flows failed
	Queue       *Queue         `json:"queue,omitempty"` // AcceptQueue
	StallMillis int64          `json:"stallMillis"`
	Evidence    evidence.Lines `json:"evidence,omitempty"`

	// Answers is the question of the plan that the result is about. It is not in JSON: nil in a report that was read.
	Answers *Question `json:"-"`
}

// Share says how many of the paths behind the flows a finding concerns.
type Share struct {
	Failed int      `json:"failed"`          // flows
	Of     int      `json:"of"`              // flows with a verdict
	Low    float64  `json:"low"`             // 95 % Clopper-Pearson interval of Failed / Of
	High   float64  `json:"high"`            //
	Ports  []uint16 `json:"ports,omitempty"` // source ports of failed flows, at most MaxPorts
	// estimated chance that a bad path of this share, or of 1/16 if none failed, was met
	Coverage float64 `json:"coverage"`
}

// Queue is what AcceptQueue found out about the target's listeners.
type Queue struct {
	Least     int    `json:"least"`     // established connections before the first overflow
	Most      int    `json:"most"`      // in all; more than Least with several queues or an accepting application
	Behaviour string `json:"behaviour"` // of a connection too many: IgnoredSyn, IgnoredAck, Reset
	Freed     bool   `json:"freed"`     // a fresh connection was established after all had been given up
}

// Flows counts the crafted connections of a result by verdict.
type Flows struct {
	Tried        int `json:"tried"`
	Pass         int `json:"pass"`
	Fail         int `json:"fail"`
	Inconclusive int `json:"inconclusive"`
}

// RTT is the round trip SYN to SYN-ACK over the flows, in microseconds.
type RTT struct {
	Min    int64 `json:"min"`
	Median int64 `json:"median"`
	P99    int64 `json:"p99"`
}
