package report

import "github.com/tcpprobe/tcpprobe/probe/plan"

// MaxSummary is the largest size of an encoded Summary in bytes. The kubelet keeps 4,096 bytes of a container's
// termination message and 12,288 bytes of a pod's.
const MaxSummary = 2000

// MaxCapture is the largest size of Report.Capture in bytes. In base64 these are 16 KiB.
const MaxCapture = 12 << 10

// MaxPorts is the largest number of Share.Ports.
const MaxPorts = 16

// MaxReport is the size in bytes of the largest report that Read and ReadWhole accept.
const MaxReport = 64 << 20

// Bounds of a Summary's texts in bytes. Names have the bounds of the plan.
const (
	maxRun       = plan.MaxRun
	maxNode      = plan.MaxName
	maxWord      = plan.MaxWord
	maxRelease   = 64
	maxMessage   = 400
	maxLine      = 160
	maxLines     = 32
	maxError     = 600
	maxGroups    = 64
	maxPathTypes = 256                          // Overlay and Routed together
	maxMatrix    = (plan.MaxVerdicts*2 + 5) / 6 // base64 characters of six bits
)

// maxConnections is more than any queue can be filled with: a source address does not have so many ports.
const maxConnections = 1 << 16

// maxSegments is more than the suspects or controls that a run sends in an hour at the highest rate to all targets.
const maxSegments = 1 << 30

// Bounds of KernelConnections that are read.
const (
	maxKernelSizes   = 8
	maxKernelMessage = 1 << 10
	maxKernelCount   = 1 << 10
)
