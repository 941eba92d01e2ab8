package watch

import (
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// keepLast is how many of the last packets of a connection are kept: those of a block with its answers, and some more.
const keepLast = 80

// provide does what a path requests, beside the loop.
func (w *watcher) provide(ctx context.Context, l *line, now time.Time) {
	if l.busy {
		return
	}
	request := l.path.Request(now)
	opens := map[Request]time.Duration{Open: openEvery, SamePort: openEvery, Fresh: silentPorts * openEvery}[request]
	if request == Nothing || opens > 0 && now.Before(w.mayOpen) {
		return
	}
	if opens > 0 {
		w.mayOpen = now.Add(opens)
	}
	c, iss := l.conn, l.path.ISS()
	if request != Fresh {
		l.conn = nil
	}
	l.path.Awaited()
	l.busy = true
	w.jobs.Go(func() {
		result := w.carryOut(ctx, l, request, c, iss)
		w.done <- func(now time.Time) {
			l.busy = false
			if result != nil {
				result(now)
			}
		}
	})
}

// carryOut waits for what a path requests, and returns what is then to be done in the loop; nil if the watch ended
// meanwhile, so that silence means nothing.
func (w *watcher) carryOut(
	ctx context.Context, l *line, request Request, c *conn.Conn, iss seq.Number,
) func(time.Time) {
	switch request {
	case Open:
		return w.open(ctx, l, iss)
	case SamePort:
		return w.openAgain(ctx, l, c, iss)
	case Fresh:
		stand, refused := w.freshPorts(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return func(now time.Time) { l.path.FreshPorts(now, stand, refused) }
	}
	e := conn.Ending{Confirmed: true}
	if c != nil {
		e = ended(ctx, c)
	}
	return func(time.Time) { l.path.Closed(e.Confirmed, e.Left) }
}

// silentPorts is how many source ports must get no answer before a target counts as silent.
const silentPorts = 2

// open opens a connection from a random port, or from another one if there is no answer.
func (w *watcher) open(ctx context.Context, l *line, iss seq.Number) func(time.Time) {
	var last conn.Answer
	for range silentPorts {
		c, err := w.Open(ctx, w.Remote, iss)
		if err != nil {
			return func(now time.Time) { l.path.Unopened(now, false, err.Error()) }
		}
		o := w.handshake(ctx, c)
		if o.Answer == conn.SynAck {
			return l.opened(c)
		}
		ended(ctx, c)
		if last = o.Answer; last == conn.ResetAnswer || ctx.Err() != nil {
			break
		}
	}
	return l.unopened(ctx, last)
}

// openAgain ends a connection, and opens another one from the same port.
func (w *watcher) openAgain(ctx context.Context, l *line, c *conn.Conn, iss seq.Number) func(time.Time) {
	e := ended(ctx, c)
	again, err := w.OpenFrom(ctx, c.Local().Port(), w.Remote, iss)
	if err != nil {
		return func(now time.Time) {
			l.path.noteEnd(e.Confirmed, e.Left)
			l.path.Unopened(now, false, err.Error())
		}
	}
	o := w.handshake(ctx, again)
	result := l.opened(again)
	if o.Answer != conn.SynAck {
		ended(ctx, again)
		result = l.unopened(ctx, o.Answer)
	}
	return func(now time.Time) {
		l.path.noteEnd(e.Confirmed, e.Left)
		if result != nil {
			result(now)
		}
	}
}

// freshPorts asks other ports whether connections come about.
func (w *watcher) freshPorts(ctx context.Context) (stand, refused int) {
	for range silentPorts {
		c, err := w.Open(ctx, w.Remote, seq.At(mostISS))
		if err != nil {
			return stand, refused
		}
		switch w.handshake(ctx, c).Answer {
		case conn.SynAck:
			stand++
		case conn.ResetAnswer:
			refused++
		}
		ended(ctx, c)
	}
	return stand, refused
}

// purpose is that of a watch's connections, in captures.
const purpose = "watch"

func (w *watcher) handshake(ctx context.Context, c *conn.Conn) conn.Opening {
	c.Take, c.TryTake = w.Take, w.TryTake
	c.SetPurpose(purpose)
	c.KeepLast(keepLast)
	return c.Handshake(ctx, w.Pace)
}

func (l *line) opened(c *conn.Conn) func(time.Time) {
	return func(now time.Time) {
		l.conn, l.port, l.window, l.doubt = c, c.Local().Port(), conn.SelfCheck{}, time.Time{}
		l.path.Opened(now, c.ISS, c.RTT, c.SACK)
	}
}

func (l *line) unopened(ctx context.Context, a conn.Answer) func(time.Time) {
	if ctx.Err() != nil {
		return nil
	}
	return func(now time.Time) { l.path.Unopened(now, a == conn.ResetAnswer, a.String()) }
}
