package labcmd

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/progress"
)

// campaignOptions are the flags of `tcpprobe lab --campaign`.
type campaignOptions struct {
	campaign bool
	runs     int
	with     []string
	seeds    int
}

// impairments are the default rounds of a campaign. None of them drops more at sequence 0; the last delays what starts
// there.
var impairments = []string{"loss=1%", "loss=5%", "loss=20%", "burst=1%/5ms", "burst=1%/50ms", "burst=1%/300ms",
	"burst=5%/5ms", "burst=5%/50ms", "burst=5%/300ms", "reorder=10%/2ms", "duplicate=10%", "delay=1ms/5ms",
	"delay-at-zero=300ms"}

// Default numbers of runs. There are 100,000 in twelve rounds with impairments only, to see that no run blames sequence
// 0. Fewer are enough to see that a fault is found.
const (
	runsWithoutRule = 8334
	runsWithRule    = 1000
)

func (o *campaignOptions) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.campaign, "campaign", false, "make many runs under each of several impairments and count the verdicts")
	f.IntVar(&o.runs, "runs", 0, fmt.Sprintf("runs in each round of a campaign (default %d, with --with %d)",
		runsWithoutRule, runsWithRule))
	f.StringArrayVar(&o.with, "with", nil, "a fault that every round of a campaign has beside its own; may be repeated")
	f.IntVar(&o.seeds, "seeds", 0, "make one run with each of so many seeds of an ecmp fault, instead of --runs")
}

// onlyOfCampaigns returns an error if such a flag is used without --campaign.
func (o *campaignOptions) onlyOfCampaigns(f *pflag.FlagSet) error {
	for _, name := range []string{"runs", "with", "seeds"} {
		if f.Changed(name) {
			return fmt.Errorf("--%s is about campaigns: add --campaign", name)
		}
	}
	return nil
}

// campaign is many runs. In each round the switch has the same faults.
type campaign struct {
	*options
	rounds []*campaignRound
	made   *progress.Counter // counts runs
}

// runCampaign runs a campaign. The verdict is Fail if a run's verdict was wrong or if the server has state left. One
// that is interrupted shows the runs it has made, and has no verdict.
func (o *options) runCampaign(cmd *cobra.Command) error {
	c, err := o.newCampaign(cmd.Flags())
	if err != nil {
		return err
	}
	stop := progress.Print(cmd.ErrOrStderr(), c.made.String)
	err = inParallel(cmd.Context(), c.topology.options(), c.workItems(), c.work)
	stop()
	found := c.result()
	if err != nil && (cmd.Context().Err() == nil || found.made() == 0) {
		return err
	}
	if err := errors.Join(err, found.write(cmd.OutOrStdout(), o.output)); err != nil {
		return err
	}
	return cli.VerdictError(found.verdict())
}

// newCampaign makes a campaign from the flags. By default it uses the packet rate of an ordinary probe, because the
// rate decides which segments a burst affects. It tests only sequence 0, which includes a handshake.
func (o *options) newCampaign(f *pflag.FlagSet) (*campaign, error) {
	if o.runs < 0 || o.seeds < 0 || o.runs > 0 && o.seeds > 0 || f.Changed("runs") && o.runs == 0 {
		return nil, errors.New("a campaign needs --runs of 1 or more, or --seeds of 1 or more")
	}
	if !f.Changed("scenario") {
		o.Scenarios = []string{"SequenceWrap"}
	}
	if !f.Changed("packets-per-second") {
		o.PacketsPerSecond = cli.OrdinaryRate
	}
	if len(o.faults) == 0 {
		o.faults = impairments
	}
	usual := runsWithoutRule
	if len(o.with) > 0 {
		usual = runsWithRule
	}
	c := &campaign{options: o}
	for _, name := range o.faults {
		faults, err := fault.ParseAll(append([]string{name}, o.with...))
		if err != nil {
			return nil, err
		}
		c.rounds = append(c.rounds, newRound(faults, cmp.Or(o.seeds, o.runs, usual)))
	}
	if _, err := o.Plan(clientNode, nil); err != nil {
		return nil, err
	}
	c.made = progress.NewCounter(len(c.rounds)*c.rounds[0].planned, "runs done")
	return c, o.seedable(c.rounds)
}

// seedable returns an error if there are seeds but no fault uses a hash.
func (o *campaignOptions) seedable(rounds []*campaignRound) error {
	for _, r := range rounds {
		if o.seeds > 0 && seeded(r.faults, 1) == nil {
			return fmt.Errorf("--seeds: %s chooses nothing by a hash; ask for a --fault such as ecmp=16/1:push-at-zero", r.Fault)
		}
	}
	return nil
}

// workItem is a part of a round that one testbed runs.
type workItem struct {
	*campaignRound
	faults []fault.Fault
	runs   int
}

// workItems divides the rounds among the testbeds.
func (c *campaign) workItems() (all []workItem) {
	for _, r := range c.rounds {
		if c.seeds > 0 {
			for seed := range c.seeds {
				all = append(all, workItem{r, seeded(r.faults, uint32(seed)), 1})
			}
			continue
		}
		each := (r.planned + parallelTestbeds - 1) / parallelTestbeds
		for left := r.planned; left > 0; left -= each {
			all = append(all, workItem{r, r.faults, min(each, left)})
		}
	}
	return all
}

// seeded returns the faults with another seed of their hash; nil if no fault uses one.
func seeded(faults []fault.Fault, seed uint32) []fault.Fault {
	var out []fault.Fault
	found := false
	for _, f := range faults {
		if r := f.Rule; r != nil && r.Members.Count > 0 && !r.Members.Spray {
			other := *r
			other.Members.Seed, f.Rule, found = seed, &other, true
		}
		out = append(out, f)
	}
	if !found {
		return nil
	}
	return out
}
