package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/progress"
)

// defaultRuns is the number of runs in each round of a campaign.
const defaultRuns = 1000

// impairments are a campaign's rounds unless others are asked for. None of them is about sequence 0.
var impairments = []string{"loss=1%", "loss=5%", "loss=20%", "burst=5%/50ms", "burst=20%/10ms", "reorder=10%/2ms"}

// A round's runs are spread over several workers, each of which probes a batch of addresses at once: under
// loss a run mostly waits.
const (
	campaignWorkers = 4
	batchSize       = plan.MaxSourceTargets
)

// campaign is a site with more than one client at work.
type campaign struct {
	*labOptions
	*site
	clients []*client
	made    *progress.Counter // runs

	mu sync.Mutex // of the round at work
}

// runCampaign makes many runs under each impairment. It fails if sequence 0 was blamed where it must not be.
func (o *labOptions) runCampaign(cmd *cobra.Command) (err error) {
	if o.runs < 1 {
		return fmt.Errorf("--runs %d: want 1 or more", o.runs)
	}
	if len(o.faults) == 0 {
		o.faults = impairments
	}
	if !cmd.Flags().Changed("paths") {
		o.paths = 1
	}
	o.packetsPerSecond = ordinaryRate // it decides how loss and segments fall together
	faults, err := lab.ParseFaults(o.faults)
	if err != nil {
		return err
	}
	c, err := o.openCampaign(cmd)
	if err != nil {
		return err
	}
	defer func() {
		if failed := c.close(); failed != nil {
			err = failed
		}
	}()
	defer progress.Tell(cmd.ErrOrStderr(), c.made.String)()
	var rounds []round
	for _, f := range faults {
		r, err := c.round(cmd.Context(), f)
		if err != nil {
			return err
		}
		rounds = append(rounds, r)
	}
	if err := writeRounds(cmd.OutOrStdout(), rounds, o.output); err != nil {
		return err
	}
	return judge(rounds)
}

func (o *labOptions) openCampaign(cmd *cobra.Command) (_ *campaign, err error) {
	c := &campaign{labOptions: o, made: progress.NewCounter(o.runs*len(o.faults), "runs done")}
	if c.site, err = openSite(cmd.Context(), lab.Options{}, nil); err != nil {
		return nil, err
	}
	c.clients = []*client{c.site.client}
	for len(c.clients) < campaignWorkers {
		extra, err := startClient(cmd.Context(), c.Lab, nil)
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		c.clients = append(c.clients, extra)
	}
	return c, nil
}

func (c *campaign) close() error {
	var errs []error
	for _, extra := range c.clients[1:] {
		errs = append(errs, extra.close())
	}
	return errors.Join(append(errs, c.site.close())...)
}

// round makes all runs under one fault.
func (c *campaign) round(ctx context.Context, f lab.Fault) (r round, err error) {
	started := time.Now()
	r = newRound(f)
	injection, err := c.Inject(f)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, injection.Close()) }()
	batches := make(chan []netip.AddrPort)
	var workers sync.WaitGroup
	errs := make([]error, len(c.clients))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i, client := range c.clients {
		workers.Go(func() {
			if errs[i] = c.work(client, batches, &r); errs[i] != nil {
				cancel()
			}
		})
	}
	c.deal(ctx, batches)
	workers.Wait()
	if err := errors.Join(append(errs, ctx.Err())...); err != nil {
		return r, err
	}
	r.Switch, err = injection.Counters()
	r.DurationMicros = time.Since(started).Microseconds()
	return r, err
}

// deal hands out the round's runs in batches, going round the server's addresses so that no run meets a source port
// that an earlier one used on the same address a moment ago.
func (c *campaign) deal(ctx context.Context, batches chan<- []netip.AddrPort) {
	defer close(batches)
	families := c.families()
	for n := 0; n < c.runs; n += batchSize {
		batch := make([]netip.AddrPort, min(batchSize, c.runs-n))
		for i := range batch {
			f := families[(n+i)%len(families)]
			batch[i] = netip.AddrPortFrom(c.DistantAddr(f, (n+i)/len(families)), lab.Server(c.server).Port())
		}
		select {
		case batches <- batch:
		case <-ctx.Done():
			return
		}
	}
}

// work carries out batches on one worker and adds up what they find.
func (c *campaign) work(client *client, batches <-chan []netip.AddrPort, r *round) error {
	for batch := range batches {
		p, err := c.plan(labNode, batch)
		if err != nil {
			return err
		}
		found, err := client.execute(order{p, guard.Mode(c.guard)})
		if err != nil {
			return err
		}
		c.mu.Lock()
		r.add(found, len(batch))
		c.mu.Unlock()
		c.made.Add(len(batch))
	}
	return nil
}
