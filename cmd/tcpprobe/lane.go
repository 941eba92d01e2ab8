package main

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
)

// lanes are the labs that work at the same time: under loss, and between segments that must be far apart, a run mostly
// waits.
const lanes = 4

// inLanes has the lanes do all jobs, each with a site of its own, until one fails.
func inLanes[T any](ctx context.Context, o lab.Options, jobs []T, work func(context.Context, *site, <-chan T) error) error {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan T)
	errs := make([]error, min(lanes, len(jobs)))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			if errs[i] = inLane(within, o, queue, work); errs[i] != nil {
				cancel()
			}
		})
	}
	for _, j := range jobs {
		select {
		case queue <- j:
		case <-within.Done():
		}
	}
	close(queue)
	all.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// inLane opens a site whose server tracks connections, so that it can be asked what was left, and works there.
func inLane[T any](ctx context.Context, o lab.Options, queue <-chan T, work func(context.Context, *site, <-chan T) error) (err error) {
	o.Conntrack = true
	s, err := openSite(ctx, o, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return work(ctx, s, queue)
}

// batchSize is how many addresses a lane probes at once.
const batchSize = 64

// lane is a site that works for a campaign.
type lane struct {
	*campaign
	*site
	dealt int // runs so far
}

// work does parts until there are no more.
func (c *campaign) work(ctx context.Context, s *site, parts <-chan part) error {
	l := &lane{campaign: c, site: s}
	for p := range parts {
		if err := l.part(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// part makes the part's runs while the switch has its faults, and then looks at what is left at the server.
func (l *lane) part(ctx context.Context, p part) error {
	started := time.Now()
	injection, err := l.Inject(p.faults...)
	if err != nil {
		return err
	}
	for left := p.runs; left > 0 && err == nil; left -= batchSize {
		err = errors.Join(l.batch(p.round, min(batchSize, left)), ctx.Err())
	}
	counted, failed := injection.Counters()
	if err := errors.Join(err, failed, injection.Close()); err != nil {
		return err
	}
	left, err := l.left(ctx)
	p.close(left, counted, time.Since(started))
	return err
}

// batch makes so many runs, each to another address.
func (l *lane) batch(r *round, runs int) error {
	targets := make([]netip.AddrPort, runs)
	for i := range targets {
		targets[i] = l.target()
	}
	p, err := l.plan(clientNode, targets)
	if err != nil {
		return err
	}
	found, err := l.worker.execute(p, guard.Mode(l.guard))
	if err != nil {
		return err
	}
	r.add(found)
	l.made.Add(runs)
	return nil
}

// target goes round the server's addresses, so that no run meets a source port that an earlier one used on the same address
// a moment ago.
func (l *lane) target() netip.AddrPort {
	families := l.families()
	f, i := families[l.dealt%len(families)], l.dealt/len(families)
	l.dealt++
	return netip.AddrPortFrom(l.DistantAddr(f, i), lab.Server(l.server).Port())
}

// A closed connection's entry stays in connection tracking for 10 s by design; whatever else the server holds after
// patience was left there.
var expiring = map[string]bool{"CLOSE": true, "TIME_WAIT": true}

const leftPatience = 12 * time.Second

// left counts what the server's kernel still holds of the client, by state: nothing, as soon as that is so.
func (l *lane) left(ctx context.Context) (map[string]int, error) {
	deadline := time.Now().Add(leftPatience)
	for {
		held, err := l.held()
		if err != nil || len(held) == 0 || ctx.Err() != nil || time.Now().After(deadline) {
			return held, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (l *lane) held() (map[string]int, error) {
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
