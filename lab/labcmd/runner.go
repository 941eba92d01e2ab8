package labcmd

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
)

// batchSize is how many addresses are probed at the same time.
const batchSize = 64

// campaignRunner makes the runs of a campaign in one testbed.
type campaignRunner struct {
	*campaign
	*testbed
	nextTarget int // number of runs so far
}

// work does items until there are no more.
func (c *campaign) work(ctx context.Context, s *testbed, items <-chan workItem) error {
	l := &campaignRunner{campaign: c, testbed: s}
	for p := range items {
		if err := l.run(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// run makes the item's runs with its faults, and then counts the state that is left at the server.
func (l *campaignRunner) run(ctx context.Context, p workItem) error {
	started := time.Now()
	injection, err := l.Inject(p.faults...)
	if err != nil {
		return err
	}
	for left := p.runs; left > 0 && err == nil; left -= batchSize {
		err = errors.Join(l.batch(ctx, p.campaignRound, min(batchSize, left)), ctx.Err())
	}
	counted, failed := injection.Counters()
	if err := errors.Join(err, failed, injection.Close()); err != nil {
		return err
	}
	left, err := l.left(ctx)
	p.close(left, counted, time.Since(started))
	return err
}

// batch makes so many runs at once, each to another address. One that is broken off is not counted.
func (l *campaignRunner) batch(ctx context.Context, r *campaignRound, runs int) error {
	targets := make([]netip.AddrPort, runs)
	for i := range targets {
		targets[i] = l.target()
	}
	p, err := l.Plan(clientNode, targets)
	if err != nil {
		return err
	}
	found, err := l.worker.execute(p, guard.Mode(l.guard))
	if err != nil || ctx.Err() != nil {
		return err
	}
	r.add(found)
	l.made.Add(runs)
	return nil
}

// target returns the server's addresses in turn. So a run does not use a source port that an earlier run used a moment
// ago for the same address.
func (l *campaignRunner) target() netip.AddrPort {
	families := l.families()
	f, i := families[l.nextTarget%len(families)], l.nextTarget/len(families)
	l.nextTarget++
	return netip.AddrPortFrom(l.DistantAddr(f, i), lab.Server(l.server).Port())
}

// Connection tracking keeps an entry of a closed connection for 10 s by design. State that is left after leftPatience
// counts.
var expiring = map[string]bool{"CLOSE": true, "TIME_WAIT": true}

const leftPatience = 12 * time.Second

// left counts the client's connections in the server's kernel, by state. It returns as soon as there are none, or after
// leftPatience.
func (l *campaignRunner) left(ctx context.Context) (map[string]int, error) {
	deadline := time.Now().Add(leftPatience)
	for {
		held, err := l.held()
		if err != nil || len(held) == 0 || ctx.Err() != nil || time.Now().After(deadline) {
			return held, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (l *campaignRunner) held() (map[string]int, error) {
	held := map[string]int{}
	for _, f := range lab.Families {
		for what, count := range map[string]func(netip.Addr) (map[string]int, error){
			"socket": l.Server().Sockets, "conntrack": l.Server().Conntrack,
		} {
			states, err := count(l.ClientAddr(f))
			if err != nil {
				return nil, err
			}
			for state, n := range states {
				if what == "socket" || !expiring[state] {
					held[what+" "+state] += n
				}
			}
		}
	}
	return held, nil
}
