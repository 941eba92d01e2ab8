package run

import (
	"os"
	"runtime/debug"
)

// gcPercent is by how much of what lives, in percent, the heap may grow before it is collected.
const gcPercent = 40

// SetGCPercent keeps the memory of a process that probes small, for a pod's limit: little lives in it, but Go lets the
// heap grow by as much as all global variables take, which are the tables of the packet library. GOGC overrides it.
func SetGCPercent() {
	if _, chosen := os.LookupEnv("GOGC"); !chosen {
		debug.SetGCPercent(gcPercent)
	}
}
