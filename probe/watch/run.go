package watch

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// Env is what a watch has to make connections to one target.
type Env struct {
	Remote   netip.AddrPort
	Open     func(context.Context, netip.AddrPort, seq.Number) (*conn.Conn, error)
	OpenFrom func(context.Context, uint16, netip.AddrPort, seq.Number) (*conn.Conn, error)
	Pace     conn.Pace
	Take     func()      // as conn.Conn.Take
	TryTake  func() bool // as conn.Conn.TryTake
}

// Times of the loop.
const (
	loopTick    = 20 * time.Millisecond
	reportEvery = time.Second
	openEvery   = time.Second // from one new connection to the target to the next
	endWithin   = 2500 * time.Millisecond
)

// watcher has the connections of all paths to one target. One loop serves all of them; only what waits for an answer,
// as a handshake, runs beside it and has the connection meanwhile.
type watcher struct {
	Env
	each    func(Event)
	lines   []*line
	done    chan func(now time.Time) // what ran beside the loop; called in it
	jobs    sync.WaitGroup
	mayOpen time.Time // the next connection
	first   int       // the line that is served first
}

// line is one path with its connection.
type line struct {
	path   *Path
	number int
	conn   *conn.Conn // nil: there is none, or something beside the loop has it
	port   uint16
	busy   bool // something runs beside the loop
	window conn.SelfCheck
	doubt  time.Time // since when the window is not clean, though a count may only be a little behind; zero: it is
}

// Run watches a target until ctx ends. each gets all events, the last of each path with its verdict. Then all
// connections are ended.
func Run(ctx context.Context, env Env, s Settings, each func(Event)) {
	w := &watcher{Env: env, each: each, done: make(chan func(time.Time), s.Paths)}
	for i := range s.Paths {
		chance := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
		w.lines = append(w.lines, &line{path: NewPath(s, chance), number: i + 1})
	}
	w.loop(ctx)
	w.end(ctx)
}

func (w *watcher) loop(ctx context.Context) {
	ticker := time.NewTicker(loopTick)
	defer ticker.Stop()
	reported := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case result := <-w.done:
			result(time.Now())
			continue
		case <-ticker.C:
		}
		now := time.Now()
		w.serve(ctx, now)
		if now.Sub(reported) >= reportEvery {
			reported = now
			w.report(now)
		}
	}
}

// serve gives each path its turn. The first one changes, because new connections are few.
func (w *watcher) serve(ctx context.Context, now time.Time) {
	for i := range w.lines {
		l := w.lines[(w.first+i)%len(w.lines)]
		w.exchange(l, now)
		w.provide(ctx, l, now)
		w.tell(l)
	}
	w.first++
	for _, l := range w.lines {
		if l.path.NeedsConsent() {
			w.stopAll()
		}
	}
}

func (w *watcher) stopAll() {
	for _, l := range w.lines {
		l.path.Stop()
	}
}

// tell passes on what happened on a path.
func (w *watcher) tell(l *line) {
	for _, e := range l.path.Events() {
		if l.conn != nil && (e.Kind == Fails || e.Kind == AlsoFails) {
			e.Evidence = l.conn.Evidence().Texts()
		}
		w.send(l, e)
	}
}

func (w *watcher) send(l *line, e Event) {
	e.Target, e.Path, e.Port = w.Remote.String(), l.number, l.port
	w.each(e)
}

func (w *watcher) report(now time.Time) {
	for _, l := range w.lines {
		w.send(l, l.path.Report(now))
	}
}

// end waits for what runs beside the loop, ends all connections, and tells how each path stands.
func (w *watcher) end(ctx context.Context) {
	w.jobs.Wait()
	for {
		select {
		case result := <-w.done:
			result(time.Now())
			continue
		default:
		}
		break
	}
	var all sync.WaitGroup
	for _, l := range w.lines {
		if c := l.conn; c != nil {
			all.Go(func() {
				e := ended(ctx, c)
				l.path.Closed(e.Confirmed, e.Left)
			})
		}
	}
	all.Wait()
	for _, l := range w.lines {
		w.tell(l)
		e := l.path.Report(time.Now())
		e.Kind, e.Verdict = Ends, l.path.Verdict(e.Time)
		w.send(l, e)
	}
}

// ended ends a connection, also when the watch is over.
func ended(ctx context.Context, c *conn.Conn) conn.Ending {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	e, err := c.End(ctx)
	if err != nil {
		return conn.Ending{}
	}
	return e
}
