package plan

// Bounds of a plan. The resource's schema has those of its fields too, and a test holds the two against each other.
// MaxVerdicts is what a termination message can carry for one source, two bits each.
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

// Bounds of its names, in bytes, and so of those that a report repeats.
const (
	MaxRun  = 63
	MaxName = 253 // a DNS subdomain
	MaxWord = 63
)
