package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// options are the command's flags.
type options struct {
	plan    string // path
	source  string // node
	summary string // path
	guard   guard.Mode
	version bool // print the version and exit
}

// parseOptions parses the flags. It also returns the usage text.
func parseOptions(args []string) (o options, usage string, err error) {
	var text strings.Builder
	f := flag.NewFlagSet("prober", flag.ContinueOnError)
	f.SetOutput(&text)
	f.StringVar(&o.plan, "plan", "/etc/tcpprobe/plan.json", "file with the plan")
	f.StringVar(&o.source, "source", "", "name of the `node` that this prober stands on")
	f.StringVar(&o.summary, "summary", "/dev/termination-log", "file for the summary")
	f.Func("guard", "`mode` of the RST guard: tcx or clsact; the best available if not set", o.setGuard)
	f.BoolVar(&o.version, "version", false, "print the version and exit")
	err = f.Parse(args)
	usage = strings.TrimSpace(text.String())
	switch {
	case errors.Is(err, flag.ErrHelp):
		return options{}, usage, err
	case err != nil:
		return options{}, usage, errors.New(usage)
	case f.NArg() > 0:
		return options{}, usage, fmt.Errorf("unknown argument %q", f.Arg(0))
	case o.version:
		return o, usage, nil
	case o.source == "":
		return options{}, usage, errors.New("--source is missing: name the node whose part of the plan to carry out")
	}
	return o, usage, nil
}

func (o *options) setGuard(s string) error {
	o.guard = guard.Mode(s)
	if s != "tcx" && s != "clsact" {
		return errors.New("need tcx or clsact")
	}
	return nil
}

// load reads and validates the plan. If it can be read but not used, it is returned together with the error, because
// its run ID is needed.
func (o options) load() (*plan.Plan, error) {
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
	if err := refuseAPIServer(p, os.Getenv("KUBERNETES_SERVICE_HOST")); err != nil {
		return p, err
	}
	if len(p.Sources[o.source]) == 0 {
		return p, fmt.Errorf("%w: it has %d sources, and %s is none of them", plan.ErrInvalid, len(p.Sources), o.source)
	}
	return p, nil
}

// refuseAPIServer returns an error if the plan has the API server's address as a target. Every pod knows this address.
// The operator refuses it too; neither has to trust the other.
func refuseAPIServer(p *plan.Plan, host string) error {
	server, err := netip.ParseAddr(host)
	if err != nil {
		return nil //nolint:nilerr // outside a cluster the variable is empty, and a name cannot be a target
	}
	for i, t := range p.Targets {
		address := t.Address
		if inner, ok := plan.Embedded(address); ok {
			address = inner
		}
		if address == server.Unmap() {
			return fmt.Errorf("%w: target %d, %s, is the API server, which is never probed", plan.ErrInvalid, i, t.AddrPort())
		}
	}
	return nil
}

// readAtMost reads a file up to a little more than limit bytes. plan.Decode refuses larger plans.
func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}
