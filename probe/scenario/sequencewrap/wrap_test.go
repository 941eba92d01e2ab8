package sequencewrap

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// brokenWraps are devices that break at the wrap, each with what is said of it, by variant.
var brokenWraps = map[string]struct {
	device func() conntest.Drop
	reason report.Reason // of Push
	across report.Reason // of Straddle
	leaks  int           // of a flow of Push: what no segment can end
}{
	"up to 1,000,000,000": {func() conntest.Drop { return conntest.UpTo(1_000_000_000) },
		report.WrapDropped, report.Delivered, 0},
	"up to 65,535": {func() conntest.Drop { return conntest.UpTo(65535) }, report.WrapDropped, report.Delivered, 0},
	"up to 1,000":  {func() conntest.Drop { return conntest.UpTo(1000) }, report.WrapDropped, report.Delivered, 0},
	"starts after the wrap": {func() conntest.Drop { return conntest.AfterWrap(false) },
		report.WrapDropped, report.Delivered, 0},
	"bytes after the wrap": {func() conntest.Drop { return conntest.AfterWrap(true) },
		report.WrapDropped, report.WrapDropped, 1},
	"ends at the wrap": {func() conntest.Drop { return conntest.EndsOverflow },
		report.WrapEndDropped, report.WrapEndDropped, 0},
	"window ends at the wrap": {conntest.WindowEndsAtWrap, report.Delivered, report.WrapWindowDropped, 0},
}

// A wrap that breaks is a finding of its own, and its connections are ended where a segment can do that.
func TestWrapThatBreaks(t *testing.T) {
	for name, c := range brokenWraps {
		t.Run(name, func(t *testing.T) {
			for variant, want := range map[string]report.Reason{"Push": c.reason, "Data": c.reason, "Straddle": c.across,
				"UrgentPush": c.reason, "Fin": c.reason, "PushFin": c.reason} {
				peer := &conntest.Listener{ClosesAtEOF: true}
				o := ask(t, variant, &conntest.Bench{Peer: peer, Path: func() conntest.Path {
					return conntest.Dropping(c.device())()
				}})
				if o.Reason != want {
					t.Errorf("%s: %s / %s, want %s: %s\n%s", variant, o.Verdict, o.Reason, want, o.Message, o.Evidence)
				}
				if n := peer.Live(); n != o.Leaked || n > c.leaks {
					t.Errorf("%s: the peer holds %d connections, %d said", variant, n, o.Leaked)
				}
				t.Log(variant, o.Message)
			}
		})
	}
}
