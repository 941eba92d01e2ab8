package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// order is what the command line says.
type order struct {
	plan    string // path
	source  string // node
	summary string // path
	guard   guard.Mode
	until   time.Time // of a worker: when to end
}

func parseOrder(args []string, worker bool) (order, error) {
	var o order
	var usage strings.Builder
	f := flag.NewFlagSet("prober", flag.ContinueOnError)
	f.SetOutput(&usage)
	f.StringVar(&o.plan, "plan", "/etc/tcpprobe/plan.json", "file with the plan")
	f.StringVar(&o.source, "source", "", "name of the `node` that this prober stands on")
	f.StringVar(&o.summary, "summary", "/dev/termination-log", "file for the summary")
	f.Func("guard", "`mode` of the RST guard: tcx or clsact; the best available if not set", o.setGuard)
	if worker {
		f.Func("until", "`time` to end, in nanoseconds since 1970", o.setUntil)
	}
	if f.Parse(args) != nil {
		return order{}, errors.New(strings.TrimSpace(usage.String()))
	}
	if f.NArg() > 0 {
		return order{}, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	if o.source == "" {
		return order{}, errors.New("--source is missing: name the node whose part of the plan to carry out")
	}
	return o, nil
}

func (o *order) setGuard(s string) error {
	o.guard = guard.Mode(s)
	if s != "tcx" && s != "clsact" {
		return errors.New("need tcx or clsact")
	}
	return nil
}

func (o *order) setUntil(s string) error {
	n, err := strconv.ParseInt(s, 10, 64)
	o.until = time.Unix(0, n)
	return err
}

// workerArgs is the command line of the worker that is to end at until.
func (o order) workerArgs(until time.Time) []string {
	args := []string{"prober", workerCommand, "--plan=" + o.plan, "--source=" + o.source, "--summary=" + o.summary,
		"--until=" + strconv.FormatInt(until.UnixNano(), 10)}
	if o.guard != "" {
		args = append(args, "--guard="+string(o.guard))
	}
	return args
}

// load reads the plan and sees that it can be used from this source. If it can be read and not used it
// is returned with the error, for its run ID.
func (o order) load() (*plan.Plan, error) {
	b, err := readAtMost(o.plan, plan.MaxSize)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	p, err := plan.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("read the plan %s: %w", o.plan, err)
	}
	if err := p.Validate(); err != nil {
		return p, err
	}
	if len(p.Sources[o.source]) == 0 {
		return p, fmt.Errorf("%w: it has %d sources, and %s is none of them", plan.ErrInvalid, len(p.Sources), o.source)
	}
	return p, nil
}

// readAtMost reads a file, but never much more than limit bytes of it: plan.Decode refuses the rest.
func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}
