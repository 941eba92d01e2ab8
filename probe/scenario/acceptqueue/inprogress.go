package acceptqueue

import (
	"context"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// inProgressRepeats is how often a round repeats the end of handshakes in progress. If all are ignored while 24 beacons
// are answered, one round excludes chance at 1.6e-11.
const inProgressRepeats = 16

// inProgress returns the connections whose SYN was answered and whose final ACK and byte were ignored since.
func (f *filling) inProgress(a *attempt) (all []*attempt) {
	for _, h := range []*attempt{f.underWay, a} {
		if h != nil && h.stage() == halfOpen {
			all = append(all, h)
		}
	}
	return all
}

// addInProgress adds a round to the test of the handshakes in progress.
func (f *filling) addInProgress(all []*attempt, beacons, lost int) {
	if len(all) == 0 {
		return
	}
	round := verdict.Round{Block: verdict.Block{Suspects: inProgressRepeats, Beacons: beacons}, BeaconsLost: lost}
	f.seen.InProgress.Alpha = f.seen.Test.Alpha
	f.seen.InProgress.Add(round, !slices.ContainsFunc(all, func(h *attempt) bool { return h.stage() != halfOpen }))
}

// askInProgress finds out what becomes of handshakes in progress now that new SYNs are ignored. Where a port has
// several queues, those of completed spares tell.
func (f *filling) askInProgress(ctx context.Context) {
	all := f.rejected
	if f.underWay != nil {
		all = append(slices.Clone(all), f.underWay)
	}
	for _, s := range f.spares {
		if s.stage() == halfOpen && s.completed {
			all = append(all, s)
		}
	}
	stuck := slices.DeleteFunc(slices.Clone(all), func(h *attempt) bool { return h.stage() != halfOpen })
	f.seen.InProgress.Alpha = f.seen.Test.Alpha
	for range verdict.MostRounds {
		if len(stuck) == 0 || f.seen.InProgress.Significant() {
			break
		}
		size := f.seen.InProgress.Next(inProgressRepeats, f.Env.Background.Count().Rate())
		if _, _, ok := f.round(ctx, nil, stuck, size.Beacons); !ok {
			break
		}
		stuck = slices.DeleteFunc(stuck, func(h *attempt) bool { return h.stage() != halfOpen })
	}
	for _, h := range all {
		switch {
		case h.opening.Answer != conn.SynAck:
		case h.stage() == refused:
			f.seen.UnderWay = verdict.ResetIt
		case h.stage() == halfOpen && f.seen.UnderWay == "":
			f.seen.UnderWay = verdict.IgnoredAck
		}
	}
}

// askedEstablished is how many established connections are asked for a challenge ACK.
const askedEstablished = 8

// askEstablished sends a SYN on established connections. Their sockets answer it with a challenge ACK (RFC 5961 section
// 4.2), whatever the listener's queue. Where no answer comes, SYNs are lost on the way.
func (f *filling) askEstablished(ctx context.Context) {
	carriers := f.carriers()
	carriers = carriers[:min(len(carriers), askedEstablished)]
	for _, c := range carriers {
		if f.Env.Pace(ctx, 1) != nil {
			return
		}
		c.Drain(func(wire.Packet) {})
		c.Send(conn.Step{Part: evidence.SYN, Flags: segment.SYN, Seq: &c.ISS, Options: true})
	}
	until := time.Now().Add(f.patience(0))
	for _, c := range carriers {
		f.seen.OnEstablished.Sent++
		if !c.Collect(ctx, until, func(p wire.Packet) bool { bare, _ := c.Answers(p); return bare }) {
			f.seen.OnEstablished.Lost++
		}
	}
}

// compareLoss asks established connections how much the path loses.
func (f *filling) compareLoss(ctx context.Context) {
	const beacons = 24
	_, _, _ = f.round(ctx, nil, nil, beacons)
}
