package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
)

// limitMemory has the garbage collector keep the manager below its container's memory limit, which the environment's
// MEMORY_LIMIT has in bytes. A tenth is left for what the Go runtime does not count. GOMEMLIMIT, if set, counts
// instead.
func limitMemory() error {
	text := os.Getenv("MEMORY_LIMIT")
	if text == "" || os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	limit, err := strconv.ParseInt(text, 10, 64)
	if err != nil || limit <= 0 {
		return fmt.Errorf("the environment's MEMORY_LIMIT is %q: need a number of bytes", text)
	}
	debug.SetMemoryLimit(limit - limit/10)
	return nil
}
