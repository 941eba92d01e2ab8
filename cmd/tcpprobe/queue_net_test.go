//go:build net

package main

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

// If the worker is killed while it holds many connections, none is left.
func TestKilledFillingLeavesNothing(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{Conntrack: true})
	for _, f := range lab.Families {
		cmd := holding(t, s, f, 60, "run", "--scenario", "AcceptQueue", "--max-connections", "2000",
			s.Target(f, lab.Sink).String())
		killWorker(t, cmd)
	}
	labtest.ExpectNothingLeft(t, s)
}
