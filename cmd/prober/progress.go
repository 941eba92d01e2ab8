package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progressTo returns what the engine calls after every result. It prints a line for people, once a second at
// most, and so none for a run that is over within one.
func progressTo(w io.Writer, now func() time.Time) func(done, total int) {
	var mu sync.Mutex
	started := now()
	last := started
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		t := now()
		if t.Sub(last) < time.Second {
			return
		}
		last = t
		fmt.Fprintf(w, "prober: %d of %d checks done after %.0f s\n", done, total, t.Sub(started).Seconds())
	}
}
