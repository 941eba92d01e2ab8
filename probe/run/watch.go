package run

import (
	"context"
	"fmt"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/watch"
)

// watchRate is the most segments to one target in a second while connections are opened and ended. Pairs come beside.
const watchRate = 200

// Watch watches the targets that the plan has for this node until ctx ends, or for the time of the settings. Then it
// ends all connections. Of the plan it needs no more. each gets all events, one at a time.
func Watch(ctx context.Context, p *plan.Plan, node string, s watch.Settings, o Options, each func(watch.Event)) error {
	SetGCPercent()
	if err := checkNamespace(o.Namespace); err != nil {
		return err
	}
	if s.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.For)
		defer cancel()
	}
	ending, stop := endingContext(ctx, o.EndBy)
	defer stop()
	h := &host{device: o.Device, mode: o.GuardMode, guard: o.Guard, ledger: o.Ledger, recorder: o.Recorder, run: ctx,
		ending: ending}
	defer h.close()
	for _, i := range p.Sources[node] {
		if _, err := h.stackTo(p.Targets[i].AddrPort()); err != nil {
			return fmt.Errorf("watch %s: %w", p.Targets[i].AddrPort(), err)
		}
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, i := range p.Sources[node] {
		remote, rate, router := p.Targets[i].AddrPort(), newSegmentRate(ctx, watchRate), h.flows()
		all.Go(func() {
			watch.Run(ctx, watch.Env{Remote: remote, Open: router.Open, OpenFrom: router.OpenFrom, Pace: rate.pace,
				Take: rate.take, TryTake: rate.tryTake}, s, func(e watch.Event) {
				mu.Lock()
				defer mu.Unlock()
				each(e)
			})
		})
	}
	all.Wait()
	return nil
}
