package sequencewrap

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// shape describes a suspect that is part of a connection whose numbers cross 0.
type shape struct {
	what   string // text for messages: "… at sequence 0 is lost"
	flags  segment.Flags
	data   bool // has data
	across bool // starts before 0 and ends after it
}

// varies reports whether copies of the suspect can differ in length. With a FIN they cannot: its number would depend on
// the length.
func (s shape) varies() bool { return s.data && !s.flags.Has(segment.FIN) }

// leastUrgent is the least length of a first suspect with URG. The last byte is urgent, so of a single one the
// application reads nothing, and nothing carries the peer's acknowledgement, which it delays.
const leastUrgent = 2

// cross is the flow of variants with this shape.
func (s shape) cross(ctx context.Context, e *flow.Env) flow.Outcome {
	t := &flow.State{Env: e}
	length := e.Sizes.Next()
	if s.flags.Has(segment.URG) && length != flow.Full {
		length = max(length, leastUrgent)
	}
	for _, p := range e.Payloads() {
		tryPayload(ctx, t, s, p, length)
		asked := len(t.Blocks) > 0 || t.Resets.Alpha > 0
		if !t.PeerReset || t.Delivered || asked { // another block would exceed the error
			break
		}
	}
	return t.Finish(ctx, verdict.SequenceWrap)
}

// tryPayload runs the test with one payload. If the peer holds an older connection of the source port, it tries another
// port; if the path drops long segments, it tries a usual length. Then it examines why the first suspect was missing.
func tryPayload(ctx context.Context, t *flow.State, s shape, p payload.Source, length int) {
	var w *wrapConn
	for range flow.SourcePorts {
		w = newWrapConn(t, s, p, length)
		w.run(ctx)
		if w.tooLong {
			length = leastControl
			continue
		}
		if t.Opening.Answer != conn.StaleAck || t.Fault != nil || ctx.Err() != nil {
			break
		}
	}
	if t.Unasked && !t.PeerReset && !t.AckHeld && !t.Explained() {
		w.askFirsts(ctx)
	}
	t.Unasked = t.Unasked && ctx.Err() != nil
}
