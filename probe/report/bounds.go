package report

import "github.com/tcpprobe/tcpprobe/probe/plan"

// MaxSummary is the size in bytes that an encoded Summary never exceeds. The kubelet keeps 4,096 of a
// container's termination message and 12,288 of a pod's.
const MaxSummary = 2000

// MaxCapture bounds Report.Capture, in bytes: 16 KiB in base64.
const MaxCapture = 12 << 10

// MaxPorts bounds Share.Ports.
const MaxPorts = 16

// maxReport is the size in bytes of the largest report that Read accepts.
const maxReport = 64 << 20

// Bounds of a Summary's texts, in bytes. Names are as long as those of the plan.
const (
	maxRun     = plan.MaxRun
	maxNode    = plan.MaxName
	maxWord    = plan.MaxWord
	maxRelease = 64
	maxMessage = 400
	maxLine    = 160
	maxLines   = 32
	maxError   = 600
	maxGroups  = 64
	maxWays    = 256                          // overlay and routed together
	maxMatrix  = (plan.MaxVerdicts*2 + 5) / 6 // base64 characters, six bits each
)

// maxConnections is beyond what a queue can be asked for: one source address has no more ports.
const maxConnections = 1 << 16

// Bounds of KernelConnections that are read.
const (
	maxKernelSizes   = 8
	maxKernelMessage = 1 << 10
	maxKernelCount   = 1 << 10
)
