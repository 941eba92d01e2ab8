package sequencewrap

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
)

// Where a device drops old bytes, new ones prove that the path lives, and a loss at 0 is found as elsewhere.
func TestOldBytesAreDropped(t *testing.T) {
	for _, c := range []struct {
		name, variant string
		peer          *conntest.OldDropper
		drop          conntest.Drop
		want          report.Reason
		says          string
	}{
		{"healthy", "Push", &conntest.OldDropper{}, conntest.DropNone, report.Delivered, ""},
		{"PSH at 0", "Push", &conntest.OldDropper{}, conntest.PushAtZero, report.SequenceZeroDropped, "new ones beyond it"},
		{"PSH at 0, ports remembered", "Push", &conntest.OldDropper{Remembers: true}, conntest.PushAtZero,
			report.SequenceZeroDropped, "at another number it arrives"},
		{"not this variant", "Data", &conntest.OldDropper{}, conntest.PushAtZero, report.Delivered, ""},
		{"every PSH", "Push", &conntest.OldDropper{}, conntest.EveryPush, report.PathDown, ""},
		{"gaps too, healthy", "Push", &conntest.OldDropper{Gaps: true}, conntest.DropNone, report.Delivered, ""},
		{"gaps too, PSH at 0", "Push", &conntest.OldDropper{Gaps: true}, conntest.PushAtZero, report.NoProofOfLife,
			"nothing shows whether the path lives"},
	} {
		t.Run(c.variant+"/"+c.name, func(t *testing.T) {
			c.peer.Peer = &conntest.Listener{}
			o := flowtest.Run(t, Definition, c.variant, plan.Scenario{},
				&conntest.Bench{Peer: c.peer, Path: conntest.Dropping(c.drop)})
			if o.Reason != c.want || !strings.Contains(o.Message, c.says) {
				t.Errorf("%s / %s, want %s\n%s\n%s", o.Verdict, o.Reason, c.want, o.Message, o.Evidence)
			}
			if c.peer.Live() > o.Remains.Left+o.Remains.Unknown {
				t.Errorf("the peer holds %d connections, the outcome says %d\n%s", c.peer.Live(), o.Remains, o.Evidence)
			}
		})
	}
}

// Behind such a device a healthy check of 16 flows takes at most twice the time of an ordinary one.
func TestOldBytesAreDroppedTakesNoLonger(t *testing.T) {
	took := func(peer conntest.Peer) (d time.Duration) {
		b := &conntest.Bench{Peer: peer}
		b.Run(t, func(t *testing.T, ctx context.Context) {
			e, start := flowtest.Env(b), time.Now()
			for range 16 {
				if o := Definition.Flow("Push")(ctx, e); !flowtest.Passed(flow.Outcome{Finding: o.Finding}) ||
					o.Remains != (flow.Remains{}) {
					t.Errorf("%s: %s, %d leaked", o.Reason, o.Message, o.Remains)
				}
			}
			d = time.Since(start)
		})
		return d
	}
	ordinary := took(&conntest.Listener{})
	behind := took(&conntest.OldDropper{Peer: &conntest.Listener{}})
	t.Logf("16 flows one after the other: ordinary %s, behind the device %s", ordinary, behind)
	if behind > 2*ordinary {
		t.Errorf("ordinary %s, behind the device %s", ordinary, behind)
	}
}
