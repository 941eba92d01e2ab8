package main

import (
	"math"
	"runtime/debug"
	"strings"
	"testing"
)

// TestMemoryLimit: the garbage collector gets nine tenths of what the container may have.
func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for text, want := range map[string]int64{"": math.MaxInt64, "268435456": 241591911} {
		debug.SetMemoryLimit(math.MaxInt64)
		t.Setenv("MEMORY_LIMIT", text)
		if err := limitMemory(); err != nil || debug.SetMemoryLimit(-1) != want {
			t.Errorf("MEMORY_LIMIT=%q: %d, %v; want %d", text, debug.SetMemoryLimit(-1), err, want)
		}
	}
	for _, text := range []string{"256Mi", "0", "-1"} {
		t.Setenv("MEMORY_LIMIT", text)
		if err := limitMemory(); err == nil || !strings.Contains(err.Error(), "need a number of bytes") {
			t.Errorf("MEMORY_LIMIT=%q: %v", text, err)
		}
	}
	debug.SetMemoryLimit(math.MaxInt64)
	t.Setenv("GOMEMLIMIT", "100MiB")
	if err := limitMemory(); err != nil || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		t.Errorf("GOMEMLIMIT does not count: %d, %v", debug.SetMemoryLimit(-1), err)
	}
}
