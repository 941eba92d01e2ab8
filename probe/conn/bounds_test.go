package conn

import (
	"testing"
	"time"
	"unsafe"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Each bound is a literal number, so that a changed constant fails the test.
func TestBounds(t *testing.T) {
	for what, c := range map[string]struct{ got, want int }{
		"packets of one flow that wait":              {inboxSize, 1024},
		"packets of all flows that wait":             {allInboxes, 16384},
		"share of the room that one flow may have":   {roomShare, 8},
		"packets of a flow that always find room":    {ownRoom, 16},
		"milliseconds between acknowledgements":      {int(ackDelay / time.Millisecond), 40},
		"numbers at which one try of an end resets":  {numbersATry, 3},
		"tries of an end":                            {endTries, 8},
		"tries of an end after the deadline":         {lateTries, 2},
		"tries of an end where both sides closed":    {overTries, 4},
		"bytes of data that a peer may keep unacked": {largestSendWindow, 65535},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", what, c.got, c.want)
		}
	}
	const most = 16 << 20 // bytes of all packets that wait, beside the room of each flow
	packet := int(unsafe.Sizeof(segment.Segment{})+unsafe.Sizeof(wire.Packet{})) + 2*wire.SnapLength
	if n := allInboxes * packet; n > most {
		t.Errorf("what waits may take %d bytes, want at most %d", n, most)
	}
}
