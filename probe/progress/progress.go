// Package progress prints how far long work has got.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// The first line is printed after one second, so short work prints none, and then one every five seconds.
const (
	firstLine = time.Second
	moreLines = 5 * time.Second
)

// Print prints lines until stop is called. line returns the text, which says how far the work has got.
func Print(w io.Writer, line func() string) (stop func()) {
	started, next := time.Now(), time.NewTimer(firstLine)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-next.C:
				fmt.Fprintf(w, "%s after %.0f s\n", line(), time.Since(started).Seconds())
				next.Reset(moreLines)
			case <-done:
				return
			}
		}
	}()
	return func() {
		next.Stop()
		close(done)
		<-ended
	}
}

// Counter counts done things of a total. Its text is like "3 of 8 checks done".
type Counter struct {
	mu          sync.Mutex
	done, total int
	what        string
}

// NewCounter returns a Counter with this total.
func NewCounter(total int, what string) *Counter { return &Counter{total: total, what: what} }

// Add counts n more things as done.
func (c *Counter) Add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
}

// Set replaces both numbers.
func (c *Counter) Set(done, total int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done, c.total = done, total
}

func (c *Counter) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d of %d %s", c.done, c.total, c.what)
}
