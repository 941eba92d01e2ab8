package plan

// Bounds of a plan. The schema of the resource has bounds for its fields too; a test compares them with these.
// MaxVerdicts is what a termination message can hold for one source, with two bits for each verdict.
const (
	MaxTargets       = 4096
	MaxSources       = 1000
	MaxSourceTargets = 128
	MaxScenarios     = 8
	MaxVariants      = 16
	MaxVerdicts      = 2816 // 128 targets, 22 checks each
	MaxPaths         = 256
	MaxPayload       = 1024 // bytes
	MaxDeadline      = 3600 // seconds
	MinRate          = 10   // packets per second
	MaxRate          = 2000
	MaxAlpha         = 0.1
)

// Bounds of names in a plan, in bytes. A report has the same names.
const (
	MaxRun  = 63
	MaxName = 253 // a DNS subdomain
	MaxWord = 63
)
