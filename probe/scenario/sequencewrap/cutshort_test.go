package sequencewrap

import (
	"context"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
)

// A run that ends while a flow waits for late answers has not excluded that the suspect is late.
func TestWaitCutShortConvictsNobody(t *testing.T) {
	for _, v := range sentHere {
		b := &conntest.Bench{Peer: &conntest.Listener{}, Path: delayed(suspectOf(v), milliseconds(3000), conntest.DropNone)}
		var o flow.Outcome
		waited := false
		b.Run(t, func(_ *testing.T, ctx context.Context) {
			e := flowtest.Env(b)
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			e.Rest = func() { waited = true; stop() }
			o = Definition.Flow(v)(ctx, e)
		})
		if waited && o.Reason != report.DeadlineExceeded {
			t.Errorf("%s: %s / %s: %s", v, o.Verdict, o.Reason, o.Message)
		}
		t.Log(v, waited, o.Reason)
	}
}
