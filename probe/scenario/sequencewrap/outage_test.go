package sequencewrap

import (
	"fmt"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// An outage that begins with the first segment at 0 and lasts a second or two is no path on which nothing proves life,
// and nothing that 0 is blamed for.
func TestOutageIsWaitedFor(t *testing.T) {
	for _, lasts := range []time.Duration{300 * time.Millisecond, time.Second, 2 * time.Second} {
		t.Run(fmt.Sprint(lasts), func(t *testing.T) {
			path := func() conntest.Path {
				var began time.Time
				return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
					if began.IsZero() && conntest.PushAtZero(s, toPeer) {
						began = time.Now()
					}
					return !began.IsZero() && time.Since(began) < lasts
				})()
			}
			if o := ask(t, "Push", &conntest.Bench{Peer: &conntest.Listener{}, Path: path}); o.Reason != report.Delivered {
				t.Errorf("%s / %s: %s\n%s", o.Verdict, o.Reason, o.Message, o.Evidence)
			}
		})
	}
}
