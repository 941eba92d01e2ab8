package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// client is a worker that lives in a lab's client namespace.
type client struct {
	orders, reports *os.File
	exited          chan error
}

// patience is how long a worker has to end its flows when the command is interrupted.
const patience = 10 * time.Second

// startClient runs this program once more, inside the client's namespace. When ctx ends, the worker ends its flows and
// reports what it has. A spill takes every packet that it sends and sees.
func startClient(ctx context.Context, l *lab.Lab, spill *os.File) (*client, error) {
	stdin, orders, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	reports, stdout, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, stdin.Close(), orders.Close())
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "worker", "--namespace="+l.Client().Path())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, os.Stderr
	if spill != nil {
		cmd.Args, cmd.ExtraFiles = append(cmd.Args, "--spilling"), []*os.File{spill} // spillFD
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	c := &client{orders: orders, reports: reports, exited: make(chan error, 1)}
	go func() {
		err := l.Client().Run(cmd)
		stdin.Close() // so that nobody waits for a worker that is gone
		stdout.Close()
		c.exited <- err
	}()
	return c, nil
}

// execute has the worker carry out an order.
func (c *client) execute(o order) (report.Report, error) {
	var r report.Report
	if err := json.NewEncoder(c.orders).Encode(o); err != nil {
		return r, fmt.Errorf("giving the lab's client its plan: %w", err)
	}
	if err := json.NewDecoder(c.reports).Decode(&r); err != nil {
		return r, fmt.Errorf("reading the report of the lab's client: %w", err)
	}
	return r, nil
}

// close ends the worker and waits for it.
func (c *client) close() error {
	err := c.orders.Close()
	if exit := <-c.exited; exit != nil {
		err = errors.Join(err, fmt.Errorf("the probing process in the lab's client: %w", exit))
	}
	return errors.Join(err, c.reports.Close())
}
