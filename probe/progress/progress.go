// Package progress tells people how far a long piece of work is.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// A line comes after a second, and so not at all of what is over within one, and then every five.
const (
	firstLine = time.Second
	moreLines = 5 * time.Second
)

// Tell prints a line from time to time, until stop is called; line says how far the work is.
func Tell(w io.Writer, line func() string) (stop func()) {
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

// Counter is how many of a number of things are done: "3 of 8 checks done".
type Counter struct {
	mu          sync.Mutex
	done, total int
	what        string
}

// NewCounter counts up to total.
func NewCounter(total int, what string) *Counter { return &Counter{total: total, what: what} }

// Add says that n more are done.
func (c *Counter) Add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
}

// Set says how many are done, of how many.
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
