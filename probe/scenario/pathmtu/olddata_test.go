package pathmtu

import (
	"strconv"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// A device that drops segments that begin with what was acknowledged already hides no length. An MTU behind it is
// not shown beyond chance, since it drops the beacons too, and nothing longer is said to arrive.
func TestOldBytesDropped(t *testing.T) {
	for longest, want := range map[int]report.Reason{1500: report.SizesArrived, 1400: report.PathLossy} {
		path := func() conntest.Path {
			var upTo seq.Number
			return conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
				switch {
				case !toPeer || s.Flags.Has(segment.RST):
					return false
				case s.Flags.Has(segment.SYN):
					upTo = s.End()
				case s.Seq.Before(upTo) || s.PayloadLen()+40 > longest:
					return true
				case s.PayloadLen() > 0:
					upTo = s.End()
				}
				return false
			})()
		}
		expect(t, strconv.Itoa(longest), runFlow(t, &conntest.Bench{Path: path}), want, strconv.Itoa(longest), "arrived")
	}
}
