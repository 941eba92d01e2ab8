package sequencewrap

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// beyond sends beacons of new bytes beyond the suspect, for paths on which old bytes are dropped. Each leaves a gap
// before it, so that the peer names it at once as a block of its own (RFC 2018 section 4).
type beyond struct {
	used    bool       // instead of old bytes
	assumed bool       // used because of what other connections to the peer showed
	next    seq.Number // where the next one starts
	silent  int        // sandwiches in a row whose beacons were both unanswered
	unheard int        // beacons in a row, of both kinds, without an answer
	answers bool       // a beacon of the flow was answered
}

const (
	// silentOld is after how many silent sandwiches beacons are new bytes.
	silentOld = 3
	// silentBeyond is after how many more nothing is expected to prove life.
	silentBeyond = 12
	// gap is the distance between two of them. The first is farther away than other bytes ahead.
	gap      = 1
	farAhead = 3 * conn.AheadOffset
)

// sendAhead sends one with so many bytes.
func (w *wrapConn) sendAhead(length int, flags segment.Flags) *sentCopy {
	b := &w.beyond
	if b.next == (seq.Number{}) {
		b.next = w.end.Add(farAhead)
	}
	at := b.next
	b.next = at.Add(length + gap)
	w.echoes.Expect(at, length)
	c := w.copies.add(&sentCopy{block: segment.SACKBlock{Left: at, Right: at.Add(length)}, length: length,
		sent: time.Now()})
	c.sent = w.conn.Send(conn.Step{Part: evidence.Beacon, Flags: flags, Seq: &at, Payload: w.payload(length), Ahead: true})
	return c
}

// heard changes the kind of beacons after several sandwiches without an answer. It returns false if neither kind had
// one: then nothing proves that the path lives.
func (w *wrapConn) heard(answers int) bool {
	b := &w.beyond
	if answers > 0 {
		if b.used && !b.answers {
			w.conn.NoteSign(true)
		}
		b.silent, b.unheard, b.answers = 0, 0, true
		return true
	}
	b.silent, b.unheard = b.silent+1, b.unheard+2
	switch {
	case b.answers:
	case !b.used && b.silent >= silentOld:
		w.useBeyond()
	case b.assumed && b.silent >= silentOld: // what is beyond may be lost, and old bytes of this connection not
		w.useOld()
	case b.used && b.silent >= silentBeyond:
		w.Unproven = verdict.Count{Sent: b.unheard, Lost: b.unheard}
		return false
	}
	return true
}

// silence is how long a sandwich waits for answers: longer after every silentOld silent ones, so that an outage of a
// second or two does not pass for a path on which nothing proves life.
func (w *wrapConn) silence() time.Duration { return w.conn.AnswerTimeout(w.beyond.silent / silentOld) }

// useBeyond has beacons be new bytes from now on.
func (w *wrapConn) useBeyond() {
	w.beyond.used, w.beyond.silent, w.Ahead, w.echoes.Ahead = true, 0, true, true
}

// useOld has beacons be old bytes again.
func (w *wrapConn) useOld() {
	b := &w.beyond
	b.used, b.assumed, b.silent, w.Ahead, w.echoes.Ahead = false, false, 0, false, false
}
