package finreorder

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// closeWait is the time that the peer has to close. maxAnswer is the number of bytes that it may send before.
const (
	closeWait = 10 * time.Second
	maxAnswer = 1 << 20
)

// triggerText returns the data that makes the peer close. It is empty if the peer closes by itself.
func triggerText(t plan.Trigger, target netip.AddrPort) []byte {
	if t.HTTPGet == "" {
		text, err := payload.Decode(t.Send)
		if err != nil {
			panic(fmt.Sprintf("finreorder: a valid plan sends %.80q: %v", t.Send, err))
		}
		return text
	}
	const request = "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tcpprobe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
	return fmt.Appendf(nil, request, t.HTTPGet, target)
}

// trigger makes the peer close. It waits until the peer's FIN has arrived and everything that was sent is acknowledged.
func (w *peerClose) trigger(ctx context.Context) bool {
	text := triggerText(w.spec.Trigger, w.Env.Remote)
	start := w.conn.SendNext()
	w.own = start.Add(len(text))
	// An application may call close() within half a second after shutdown(). Then the kernel's state changes before the
	// second FIN, which is accepted. So first wait until no copy of the SYN can arrive: a single ignored FIN then decides.
	if w.settled = len(text) > 0 && w.seen.Overtaken[verdict.FinLate] > 0; w.settled {
		w.drainUntil(ctx, time.Now().Add(challengeSpacing))
	}
	asked, from := time.Now(), w.conn.Received()
	w.furthest = from
	for i := 0; time.Since(asked) < closeWait && w.Env.Pace(ctx, 1) == nil; i++ {
		switch {
		case !w.conn.Acked().AtLeast(w.own):
			w.conn.Send(conn.Step{Part: evidence.Trigger, Flags: segment.PSH | segment.ACK, Seq: &start, Payload: text})
		case i > 0: // the last ACK of the handshake may have been lost
			w.conn.Send(conn.Step{Part: evidence.ACK, Flags: segment.ACK})
		}
		if w.conn.Await(ctx, time.Now().Add(w.conn.AnswerTimeout(i)), w.answered) {
			break
		}
	}
	w.took, w.received = time.Since(asked), w.conn.Received().Sub(from)
	var held bool
	w.peer, held = w.conn.PeerFIN()
	return held && w.conn.Acked().AtLeast(w.own) && !w.stopped()
}

// answered processes what the peer sends after the trigger. It returns true if no further waiting is needed.
func (w *peerClose) answered(p wire.Packet) bool {
	if p.Segment != nil {
		w.taken += p.Segment.PayloadLen()
		if p.Segment.Seq.AtLeast(w.furthest) {
			w.furthest = p.Segment.End()
		}
	}
	_, held := w.conn.PeerFIN()
	return held && w.conn.Acked().AtLeast(w.own) || w.stopped() || w.taken > maxAnswer
}
