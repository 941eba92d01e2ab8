package labcmd

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labcmd/truth"
	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/progress"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// truthMatrix holds runs against the kernel's own connections: each rule, with so many flows, and each size.
type truthMatrix struct {
	*options
	rules []truth.Rule
	sizes []kernelconn.Size
	paths []int

	done  *progress.Counter // counts rules
	mu    sync.Mutex
	cells []truthCell
}

// truthCell is one comparison, as `-o json` prints it.
type truthCell struct {
	Rule   string          `json:"rule"`
	Family lab.Family      `json:"family"`
	Paths  int             `json:"paths"`
	Kernel truth.Suffering `json:"kernel"`
	State  truth.State     `json:"state"`
	Result report.Result   `json:"result"`
	Is     truth.Agreement `json:"is"`
	Why    string          `json:"why,omitempty"`
}

// truthPaths are the numbers of flows of the whole matrix.
var truthPaths = []int{1, cli.DefaultPaths}

// runTruth makes the whole matrix. The verdict is Fail if a run contradicts what connections suffer.
func (o *options) runTruth(cmd *cobra.Command) error {
	m, err := o.newTruthMatrix(cmd)
	if err != nil {
		return err
	}
	stop := progress.Print(cmd.ErrOrStderr(), m.done.String)
	found, err := m.make(cmd.Context())
	stop()
	if err != nil {
		return err
	}
	if err := found.write(cmd.OutOrStdout(), o.output); err != nil {
		return err
	}
	return cli.VerdictError(found.verdict())
}

// newTruthMatrix makes the matrix from the flags. A run is an ordinary one: its scenarios, its packet rate, and its own
// connections of the kernel, which know nothing of the oracle's.
func (o *options) newTruthMatrix(cmd *cobra.Command) (*truthMatrix, error) {
	for _, name := range []string{"campaign", "runs", "with", "seeds", "catalogue", "scenario", "server",
		"pcap"} {
		if cmd.Flags().Changed(name) {
			return nil, errors.New("--truth makes ordinary runs to an echo server by itself: leave --" + name + " out")
		}
	}
	rules, err := truth.Rules()
	if len(o.faults) > 0 {
		rules, err = truth.Parse(o.faults)
	}
	if err != nil {
		return nil, err
	}
	m := &truthMatrix{options: o, rules: rules, sizes: truth.Sizes, paths: truthPaths}
	if cmd.Flags().Changed("paths") {
		m.paths = []int{o.Paths}
	}
	if !cmd.Flags().Changed("packets-per-second") {
		o.PacketsPerSecond = cli.OrdinaryRate
	}
	m.done = progress.NewCounter(len(rules), "rules done")
	_, err = o.Plan(clientNode, nil)
	return m, err
}

// make measures all rules.
func (m *truthMatrix) make(ctx context.Context) (truthResult, error) {
	o := m.topology.options()
	o.Segmented = true // the devices look at single segments
	err := inParallel(ctx, o, m.rules,
		func(ctx context.Context, s *testbed, queue <-chan truth.Rule) error {
			for r := range queue {
				if err := m.measure(ctx, s, r); err != nil {
					return err
				}
				m.done.Add(1)
			}
			return nil
		})
	return m.result(), err
}

// measure makes the cells of one rule.
func (m *truthMatrix) measure(ctx context.Context, s *testbed, r truth.Rule) (err error) {
	injection, err := s.Inject(r.Faults...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, injection.Close()) }()
	oracles, err := m.consult(ctx, s)
	if err != nil {
		return err
	}
	for _, paths := range m.paths {
		run := *m.options
		run.Paths = paths
		found, err := run.ask(s)
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		for _, f := range m.families() {
			i := slices.IndexFunc(found.Results, func(res report.Result) bool {
				return res.Scenario == "SequenceWrap" && res.Family == string(f)
			})
			if err := m.compare(ctx, oracles[f], truthCell{Rule: r.Name, Family: f, Paths: paths,
				Result: found.Results[i]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// consult has the oracle of each family make its connections.
func (m *truthMatrix) consult(ctx context.Context, s *testbed) (map[lab.Family]*truth.Oracle, error) {
	oracles := map[lab.Family]*truth.Oracle{}
	errs := make([]error, len(m.families()))
	var all sync.WaitGroup
	for i, f := range m.families() {
		o := truth.NewOracle(s.Lab, f, m.sizes)
		oracles[f] = o
		all.Go(func() { errs[i] = o.Measure(ctx) })
	}
	all.Wait()
	err := errors.Join(errs...)
	for _, o := range oracles { // one after the other, because they are one network's
		err = errors.Join(err, o.MeasureAlone(ctx))
	}
	return oracles, err
}

// compare adds the cells of one result. Where it contradicts what connections suffer, more of them are made first.
func (m *truthMatrix) compare(ctx context.Context, o *truth.Oracle, c truthCell) error {
	for i, s := range o.Sufferings {
		if is, _ := truth.Judge(*s, o.Sufferings, c.Result); is != truth.Contradiction {
			continue
		}
		if err := o.Confirm(ctx, i); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range o.Sufferings {
		c.Kernel, c.State = *s, s.State()
		c.Is, c.Why = truth.Judge(*s, o.Sufferings, c.Result)
		m.cells = append(m.cells, c)
	}
	return nil
}
