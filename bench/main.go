// Command bench measures this engine beside the well-known Python packet tool (Debian's python3-scapy), in the same
// network namespaces and in the same run. Each figure is taken once in every round, one tool after the other, and
// published with its minimum, median and maximum over the rounds.
//
//	bench [--rounds N] [--exchanges N] [-o table|json] [--folder FOLDER]
//
// It needs root, and bin/tcpprobe built. The exit status is 0 when everything could be measured: a figure that
// misses its aim is shown as such, with where the time goes, and is no failure.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// clientCommand is the first argument of the process in the client's namespace.
const clientCommand = "client"

func main() {
	if err := execute(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
}

func execute(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) > 1 && args[0] == clientCommand {
		return serve(ctx, args[1])
	}
	return bench(ctx, args)
}

// options are the command's flags.
type options struct {
	rounds    int
	exchanges int // exchanges of this engine in each round
	output    string
	folder    string // folder for result files
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 5, "how often each figure is taken")
	f.IntVar(&o.exchanges, "exchanges", 40000, "handshakes with push and close that this engine makes in a round")
	f.StringVar(&o.output, "o", "table", "table or json")
	f.StringVar(&o.folder, "folder", "dist",
		"where bench.json and CPU profiles of figures that miss their aim are written")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case o.rounds < 1 || o.exchanges < 1:
		return o, errors.New("--rounds and --exchanges must be at least 1")
	case o.output != "table" && o.output != "json":
		return o, fmt.Errorf("-o %s: want table or json", o.output)
	case f.NArg() > 0:
		return o, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	return o, nil
}

func bench(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if err := checkPrerequisites(); err != nil {
		return err
	}
	s, err := openTestbed(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	var all []round
	for i := range o.rounds {
		fmt.Fprintf(os.Stderr, "bench: round %d of %d\n", i+1, o.rounds)
		r, err := s.round(ctx, o)
		if err != nil {
			return err
		}
		all = append(all, r)
	}
	result := summarize(all)
	if err := result.publish(o); err != nil {
		return err
	}
	return s.explain(ctx, o, result)
}
