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

// impairments are a campaign's rounds unless others are asked for. None of them loses more at sequence 0; the last
// holds back what starts there.
var impairments = []string{"loss=1%", "loss=5%", "loss=20%", "burst=1%/5ms", "burst=1%/50ms", "burst=1%/300ms",
	"burst=5%/5ms", "burst=5%/50ms", "burst=5%/300ms", "reorder=10%/2ms", "duplicate=10%", "delay=1ms/5ms",
	"delay-at-zero=300ms"}

// Runs in each round: 100,000 in twelve of them to see that nobody innocent is convicted, fewer to see that a fault is.
const (
	innocentRuns = 8334
	guiltyRuns   = 1000
)

func (o *campaignOptions) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.campaign, "campaign", false, "make many runs under each of several impairments and count the verdicts")
	f.IntVar(&o.runs, "runs", 0, fmt.Sprintf("runs in each round of a campaign (default %d, with --with %d)", innocentRuns,
		guiltyRuns))
	f.StringArrayVar(&o.with, "with", nil, "a fault that every round of a campaign has beside its own; may be repeated")
	f.IntVar(&o.seeds, "seeds", 0, "make one run with each of so many seeds of an ecmp fault, instead of --runs")
}

// onlyOfCampaigns refuses their flags elsewhere.
func (o *campaignOptions) onlyOfCampaigns(f *pflag.FlagSet) error {
	for _, name := range []string{"runs", "with", "seeds"} {
		if f.Changed(name) {
			return fmt.Errorf("--%s is about campaigns: add --campaign", name)
		}
	}
	return nil
}

// campaign is many runs, in rounds of one state of the switch each.
type campaign struct {
	*options
	rounds []*campaignRound
	made   *progress.Counter // runs
}

// runCampaign fails if a verdict was wrong, or anything was left at the server.
func (o *options) runCampaign(cmd *cobra.Command) error {
	c, err := o.newCampaign(cmd.Flags())
	if err != nil {
		return err
	}
	stop := progress.Tell(cmd.ErrOrStderr(), c.made.String)
	err = inParallel(cmd.Context(), c.topology.options(), c.workItems(), c.work)
	stop()
	if err != nil {
		return err
	}
	found := c.result()
	if err := found.write(cmd.OutOrStdout(), o.output); err != nil {
		return err
	}
	return cli.VerdictError(found.verdict())
}

// newCampaign says what the flags ask for. Unless they do, it is asked at the rate of an ordinary probe, which decides
// how loss and segments fall together, and about sequence 0 alone, which takes a handshake anyway.
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
	usual := innocentRuns
	if len(o.with) > 0 {
		usual = guiltyRuns
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

// seedable refuses seeds where there is nothing to be seeded.
func (o *campaignOptions) seedable(rounds []*campaignRound) error {
	for _, r := range rounds {
		if o.seeds > 0 && seeded(r.faults, 1) == nil {
			return fmt.Errorf("--seeds: %s chooses nothing by a hash; ask for a --fault such as ecmp=16/1:push-at-zero", r.Fault)
		}
	}
	return nil
}

// workItem is what one testbed does of a round at a time.
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

// seeded are the faults with another seed of their hash; nil if none has any.
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
