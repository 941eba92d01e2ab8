package sequencewrap

import (
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// holder is a device that holds back the acknowledgement of what is beyond 0: answers go on to acknowledge 0.
type holder struct {
	conntest.Listener
	from        int // acknowledgements from so much beyond 0 on are held
	first, last time.Time
}

func (h *holder) Receive(s *segment.Segment) (out []*segment.Segment) {
	if h.last = time.Now(); h.first.IsZero() {
		h.first = h.last
	}
	for _, a := range h.Listener.Receive(s) {
		n := a.Ack.Sub(seq.At(0))
		if a.Flags&(segment.ACK|segment.RST|segment.SYN) == segment.ACK && n >= h.from && n < 1<<16 {
			b := *a
			b.Ack = seq.At(0)
			a = &b
		}
		out = append(out, a)
	}
	return out
}

// Acknowledgements that a device changes are no Pass, and the flow ends soon. Where none is held it passes.
func TestHeldAcknowledgement(t *testing.T) {
	for from, want := range map[int]report.Reason{1: report.NotIsolated, 1 << 15: report.Delivered} {
		device := &holder{from: from}
		o := ask(t, "Push", &conntest.Bench{Peer: device})
		took := device.last.Sub(device.first)
		held := strings.Contains(o.Message, "something on the way changes acknowledgements")
		if o.Reason != want || held != (want == report.NotIsolated) || took > 2*time.Second || o.Remains != (flow.Remains{}) {
			t.Errorf("held from %d on: %s / %s after %v, %d left: %s\n%s", from, o.Verdict, o.Reason, took, o.Remains,
				o.Message, o.Evidence)
		}
	}
}
