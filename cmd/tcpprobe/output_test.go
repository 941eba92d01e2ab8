package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever waits is told so, also while nothing is done yet; whoever need not wait is not.
func TestProgressIsTold(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		900 * time.Millisecond: "",
		7 * time.Second:        "0 of 2 checks done after 1 s\n1 of 2 checks done after 6 s\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			var said strings.Builder
			c := &counter{total: 2, what: "checks done"}
			stop := tell(&said, c.String)
			time.Sleep(wait / 2)
			c.add(1)
			time.Sleep(wait / 2)
			stop()
			time.Sleep(time.Minute)
			if said.String() != want {
				t.Errorf("within %v: %q, want %q", wait, said.String(), want)
			}
		})
	}
}
