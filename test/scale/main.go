// Command scale measures the operator with fake nodes: a real control plane, the manager's own program with its shipped
// rights and default bounds, and KWOK for nodes, kubelets and probers. It prints a table, writes it to a file as JSON,
// and fails if an aim is missed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const kwokProgram = "bin/kwok"

func init() { runtime.LockOSThread() } // see start

func main() {
	nodes := flag.Int("nodes", 1000, "nodes and TCPProbes; a tenth of both is measured too")
	interval := flag.Duration("interval", 5*time.Minute, "of the TCPProbes, at least 1m")
	output := flag.String("output", "dist/bench-scale.json", "where the result goes as JSON")
	flag.Parse()
	if *nodes < 100 || *nodes > 1000 || *interval < time.Minute || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "scale: need --nodes from 100 to 1000, --interval of 1m or more, and nothing else")
		os.Exit(2)
	}
	log.SetLogger(logr.Discard())
	if err := run(*nodes, *interval, *output); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// run measures until a signal comes, and prints and writes the result.
func run(nodes int, interval time.Duration, output string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	r, err := measureAll(ctx, nodes, interval)
	if err != nil {
		return err
	}
	r.print(os.Stdout)
	if err := r.write(output); err != nil {
		return err
	}
	if !r.met() {
		return errors.New("an aim is missed; see above")
	}
	return nil
}

func say(format string, arguments ...any) { fmt.Fprintf(os.Stderr, format+"\n", arguments...) }

func measureAll(ctx context.Context, nodes int, interval time.Duration) (*result, error) {
	c, err := prepare(ctx)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	r := &result{Interval: interval.String()}
	if r.Small, err = c.tenants(ctx, "few", 0, nodes/10, interval); err != nil {
		return nil, err
	}
	if r.Full, err = c.tenants(ctx, "many", nodes/10, nodes, interval); err != nil {
		return nil, err
	}
	say("One TCPProbe from all %d nodes.", nodes)
	if r.Wide, err = c.measure(ctx, nodes, wide("many", nodes), 0); err != nil {
		return nil, err
	}
	r.judge()
	return r, nil
}

// prepare starts a control plane and KWOK, and installs the operator. There are no nodes yet.
func prepare(ctx context.Context) (*controlPlane, error) {
	programs, err := output(ctx, "test/cluster/build.sh")
	if err != nil {
		return nil, err
	}
	say("Building KWOK: two minutes the first time.")
	kwok, err := filepath.Abs(kwokProgram)
	if err != nil {
		return nil, err
	}
	if _, err := output(ctx, "go", "-C", "test/scale/kwok", "build", "-o", kwok, "sigs.k8s.io/kwok/cmd/kwok"); err != nil {
		return nil, err
	}
	say("Starting a control plane.")
	c, err := startControlPlane(ctx, programs)
	if err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return c.install(ctx) },
		func() error { return c.apiServerSlice(ctx) },
		func() error { return c.startKWOK(kwokProgram) },
	} {
		if err := step(); err != nil {
			c.stop()
			return nil, err
		}
	}
	return c, nil
}

// tenants adds nodes and tenants, and measures as many TCPProbes as there are nodes then.
func (c *controlPlane) tenants(
	ctx context.Context, prefix string, from, nodes int, interval time.Duration,
) (*figures, error) {
	say("%d nodes and %d TCPProbes, every %v.", nodes, nodes, interval)
	if err := c.addNodes(ctx, from, nodes); err != nil {
		return nil, err
	}
	if err := c.addTenants(ctx, prefix, nodes/perNamespace, nodes); err != nil {
		return nil, err
	}
	return c.measure(ctx, nodes, recurring(prefix, nodes, interval), interval)
}

func output(ctx context.Context, command ...string) (string, error) {
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	return strings.TrimSpace(string(text)), nil
}

func (r *result) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
