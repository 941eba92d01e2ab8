package run

import (
	"os"
	"runtime/debug"
)

// gcPercent is the heap growth, in percent of the live heap, after which garbage is collected.
const gcPercent = 40

// SetGCPercent keeps the memory of a probing process small, because pods have a memory limit. Little of its heap is
// live. But Go also counts global variables, and the packet library's tables are large, so by default the heap may grow
// by their size. GOGC overrides the setting.
func SetGCPercent() {
	if _, chosen := os.LookupEnv("GOGC"); !chosen {
		debug.SetGCPercent(gcPercent)
	}
}
