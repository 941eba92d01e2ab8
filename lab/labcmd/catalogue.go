package labcmd

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/progress"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/rule"
)

// rightName returns the name of the fault's rule in a report. It is empty for a fault that is not about the number 0.
func rightName(fault string) string {
	for _, r := range rule.All() {
		if r.Fault == fault {
			return r.Name
		}
	}
	return ""
}

// The catalogue tests every rule with all variants, and with as few flows as a verdict needs.
const (
	catalogueScenario = "SequenceWrap/" + cli.AllVariants
	cataloguePaths    = 2
)

// ruleResult is the result for one rule of the catalogue and one family, as `-o json` prints it.
type ruleResult struct {
	Rule      string          `json:"rule"`
	Family    string          `json:"family"`
	Variants  []variantResult `json:"variants"`
	Expected  int             `json:"due"`       // variants that the rule affects, and so must fail
	Failed    int             `json:"convicted"` // those of them that failed
	Others    int             `json:"others"`    // variants that failed without being affected, or with the wrong reason
	Named     string          `json:"named,omitempty"`
	RightName string          `json:"right,omitempty"`     // the rule's right name
	MayBeOpen bool            `json:"mayBeOpen,omitempty"` // closed ports do not show, so that other rules may fit too
}

// rightlyNamed reports whether the rule got its right name, or none if other rules may fit too.
func (i ruleResult) rightlyNamed() bool {
	return i.Named == i.RightName || i.Named == "" && i.MayBeOpen
}

// variantResult is the result for one variant, with the expected reason.
type variantResult struct {
	Variant  string         `json:"variant"`
	Verdict  report.Verdict `json:"verdict"`
	Reason   report.Reason  `json:"reason"`
	Expected report.Reason  `json:"due,omitempty"` // the expected reason if it must fail
	Message  string         `json:"message,omitempty"`
}

// asExpected reports whether the variant failed with the expected reason, or did not fail if the rule does not affect
// it. What is lost from 0 up to a number may be seen as a wrap that breaks, too.
func (o variantResult) asExpected() bool {
	switch o.Expected {
	case "":
		return o.Verdict != report.Fail
	case report.NumbersAlikeDropped:
		return o.Reason == o.Expected || o.Reason == report.WrapDropped
	}
	return o.Reason == o.Expected
}

// runCatalogue tests every rule that the switch knows.
func (o *options) runCatalogue(cmd *cobra.Command) error {
	if err := o.onlyTheCatalogue(cmd); err != nil {
		return err
	}
	o.Scenarios = []string{catalogueScenario}
	if !cmd.Flags().Changed("paths") {
		o.Paths = cataloguePaths
	}
	faults, err := fault.ParseAll(fault.Catalogue())
	if err != nil {
		return err
	}
	inspected := make(chan []ruleResult, len(faults))
	done := progress.NewCounter(len(faults), "rules done")
	stop := progress.Print(cmd.ErrOrStderr(), done.String)
	err = inParallel(cmd.Context(), o.topology.options(), faults,
		func(ctx context.Context, s *testbed, queue <-chan fault.Fault) error {
			for f := range queue {
				found, err := o.probeRule(ctx, s, f)
				if err != nil {
					return err
				}
				inspected <- found
				done.Add(1)
			}
			return nil
		})
	stop()
	if err != nil {
		return err
	}
	found := newCatalogueResult(inspected)
	if err := found.write(cmd.OutOrStdout(), o.output); err != nil {
		return err
	}
	return cli.VerdictError(found.verdict())
}

// onlyTheCatalogue returns an error for flags that the catalogue sets itself.
func (o *options) onlyTheCatalogue(cmd *cobra.Command) error {
	for _, name := range []string{"campaign", "fault", "scenario", "pcap"} {
		if cmd.Flags().Changed(name) {
			return errors.New("--catalogue goes through every rule and every variant by itself: leave --" + name + " out")
		}
	}
	return nil
}

// probeRule probes through a switch with one rule.
func (o *options) probeRule(ctx context.Context, s *testbed, f fault.Fault) (found []ruleResult, err error) {
	injection, err := s.Inject(f)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, injection.Close()) }()
	r, err := o.ask(s)
	if err != nil {
		return nil, err
	}
	for _, family := range o.families() {
		found = append(found, newRuleResult(f, string(family), r.Results))
	}
	return found, ctx.Err()
}

// newRuleResult compares the results of one family with the expected ones.
func newRuleResult(f fault.Fault, family string, all []report.Result) ruleResult {
	i := ruleResult{Rule: f.Name, Family: family, MayBeOpen: closedPort.dropped(f) != ""}
	for _, r := range all {
		if r.Family != family {
			continue
		}
		v := variantResult{Variant: r.Variant, Verdict: r.Verdict, Reason: r.Reason, Expected: expectedReason(f, r.Variant)}
		if r.Reason == report.PeerZeroNotAsked { // no port's moment came in time, which is chance
			v.Expected = ""
		}
		if r.Verdict != report.Pass {
			v.Message = r.Message
		}
		i.add(v)
		i.Named = cmp.Or(i.Named, r.Rule)
	}
	if i.Expected > 0 {
		i.RightName = rightName(f.Name)
	}
	return i
}

func (i *ruleResult) add(v variantResult) {
	i.Variants = append(i.Variants, v)
	if v.Expected != "" {
		i.Expected++
	}
	switch {
	case v.Verdict != report.Fail:
	case v.asExpected():
		i.Failed++
	default:
		i.Others++
	}
}

func compareRuleResults(a, b ruleResult) int {
	order := fault.Catalogue()
	return cmp.Or(cmp.Compare(slices.Index(order, a.Rule), slices.Index(order, b.Rule)), cmp.Compare(a.Family, b.Family))
}
