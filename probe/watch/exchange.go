package watch

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// exchange takes what arrived on a path's connection, and sends what is due.
func (w *watcher) exchange(l *line, now time.Time) {
	c := l.conn
	if c == nil || !l.path.Standing() {
		return
	}
	c.Drain(func(p wire.Packet) { take(l.path, c, p) })
	switch {
	case c.Reset(), c.Closed():
		l.path.EndedByPeer(now)
		return
	case c.Fault() != nil:
		l.path.Broken(now, c.Fault())
		return
	}
	if !l.trusts(now) {
		return
	}
	for _, a := range l.path.Next(now) {
		at := c.Send(stepOf(a))
		a.Left(at)
		if time.Since(at) > mostLag {
			l.path.Late()
		}
	}
}

const (
	// mostLag is how long it may take to send a segment. What comes in has the kernel's time, whenever it is read.
	mostLag = 20 * time.Millisecond
	// mostDoubt is how long this host may take to read what has come in.
	mostDoubt = 3 * time.Second
)

// take passes an arrived packet on to the path.
func take(p *Path, c *conn.Conn, packet wire.Packet) {
	if packet.Segment == nil {
		return
	}
	if packet.Segment.PayloadLen() > 0 {
		p.Spoke(packet.Time)
	}
	if answers, named := c.Answers(packet); answers {
		p.Answered(packet.Time, named, named != segment.SACKBlock{})
	}
}

// stepOf is the segment for a suspect or control. Nobody reads its data: the peer has received it, as far as it knows.
func stepOf(a *Ask) conn.Step {
	s := conn.Step{Part: evidence.Control, Flags: a.Flags(), Seq: &a.At, Payload: make([]byte, a.Length)}
	if a.Suspect {
		s.Part = evidence.Suspect
	}
	if s.Flags.Has(segment.URG) {
		s.Urgent = uint16(a.Length)
	}
	return s
}

// trusts looks, before anything counts as lost, whether this host lost it or its kernel interfered. It returns false if
// that is not known yet.
func (l *line) trusts(now time.Time) bool {
	if !l.path.Misses(now) {
		return true
	}
	n, err := l.conn.Window()
	if err != nil {
		l.path.Broken(now, err)
		return false
	}
	l.window = l.window.Plus(n)
	check := l.window
	if check.Clean() {
		l.window, l.doubt = conn.SelfCheck{}, time.Time{}
		return true
	}
	lost := check.Overflow > 0
	check.Overflow = 0
	switch {
	case check.Clean() && lost:
		l.path.Late()
	case check.ResetsDropped+check.KernelResets == 0 && l.doubt.IsZero():
		l.doubt = now
		return false
	case check.ResetsDropped+check.KernelResets == 0 && now.Sub(l.doubt) < mostDoubt:
		return false
	default:
		l.path.Interferes(now, check.String())
	}
	l.window, l.doubt = conn.SelfCheck{}, time.Time{}
	return true
}
