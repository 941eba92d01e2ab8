package idletimeout

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// later are the pauses before connections that stay silent are asked once more: what is late is not lost.
var later = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}

// examine finds out what became of a connection that did not answer, and of all others, which have been silent for as
// long.
func (w *idling) examine(ctx context.Context) {
	w.askAll(ctx)
	if !w.control.gone() && !w.askControl(ctx) {
		return
	}
	if len(w.unknown()) > 0 && w.confirm(ctx) {
		for i, pause := range later {
			w.attendAll(ctx, time.Now().Add(pause))
			w.askOnce(ctx, tries+i)
		}
	}
	if ctx.Err() != nil {
		return
	}
	for _, m := range w.unknown() {
		m.fate = verdict.Silent
	}
	w.attendAll(ctx, time.Now().Add(time.Second)) // the control may be ended too
	w.Isolated = w.established(ctx) && !w.control.gone()
	w.reopenAll(ctx)
}

// maxBlocks is how many blocks are sent, each larger as the loss of beacons is known better, while none decides.
const maxBlocks = 3

// confirm asks the silent connections and the control in random order, and reports whether chance is excluded. Each
// block spends its part of alpha.
func (w *idling) confirm(ctx context.Context) bool {
	for range maxBlocks {
		alpha := w.Env.Alpha / maxBlocks
		size, ok := verdict.BlockFor(alpha, w.Env.Background.Count().Rate(), flow.BeaconsASuspect)
		if !ok {
			return false
		}
		lost, ok := w.sendBlock(ctx, size)
		if !ok {
			return false
		}
		w.Env.Background.Add(verdict.Count{Sent: size.Beacons, Lost: lost})
		w.Blocks = append(w.Blocks, verdict.Confirmation{Block: size, BeaconsLost: lost, Alpha: alpha})
		if w.LossConfirmed() {
			return true
		}
	}
	return false
}

// sendBlock returns how many beacons were lost. ok is false if a silent connection answered, or time is over.
func (w *idling) sendBlock(ctx context.Context, size verdict.Block) (lost int, ok bool) {
	echoes, silent, sent := flow.NewEchoes(), w.unknown(), 0
	at := w.control.SendNext().Add(-1)
	block := flow.Trials{
		Suspect: func() { silent[sent%len(silent)].question(evidence.Suspect); sent++ },
		Beacon: func() bool {
			echoes.Expect(at, 1)
			w.control.Send(conn.Step{Part: evidence.Beacon, Flags: segment.ACK, Seq: &at, Payload: []byte{0}})
			return false
		},
		Answered:  func(p wire.Packet) bool { return echoes.Take(w.control.Conn, p) },
		Delivered: func() bool { return w.anyAnswered(silent) },
	}
	return block.Run(ctx, w.control.Conn, w.Env.Pace, size)
}

// anyAnswered reports whether something shows the fate of one of them.
func (w *idling) anyAnswered(silent []*member) bool {
	for _, m := range silent {
		m.Drain(func(wire.Packet) {})
		if m.answered && m.fate == verdict.NotAsked {
			w.survived(m)
		}
	}
	return slices.ContainsFunc(silent, func(m *member) bool { return m.fate != verdict.NotAsked })
}

// established reports whether a fresh connection is.
func (w *idling) established(ctx context.Context) bool {
	e := *w.Env
	e.Accepting = nil
	state := &flow.State{Env: &e}
	m, _ := w.establish(ctx, state, w.seen.Most)
	if m != nil {
		m.end(ctx)
	}
	w.failed = append(w.failed, state)
	return m != nil
}
