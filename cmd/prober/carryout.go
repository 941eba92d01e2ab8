package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/supervisor"
)

// carryOut supervises a worker until it ends and returns the exit status.
func carryOut(o options, reset resetter) int {
	// If the prober cannot write its summary, it must not send anything. Clearing the file also prevents that a summary of
	// an older run is taken for this one's.
	if err := writeFile(o.summary, nil); err != nil {
		return status(fmt.Errorf("clear the summary: %w", err))
	}
	p, err := o.load()
	if err != nil {
		return refuse(o, p, err)
	}
	summarize := func(r report.Report) error { return writeSummary(o.summary, report.Summarize(r, p)) }
	s := supervisor.Supervisor{Worker: []string{workerCommand}, Reset: reset, LogError: logError,
		Provisional: func(r report.Report) { _ = summarize(r) }} // the same error will occur with the final report
	r, _ := s.Supervise(supervisor.Task{Plan: p, Node: o.source, Guard: o.guard})
	failed := summarize(r)
	if err := r.WriteLine(os.Stdout); err != nil {
		logError(err)
	}
	return status(failed)
}

// refuse reports that the plan could not be used. p may be nil.
func refuse(o options, p *plan.Plan, reason error) int {
	logError(reason)
	run := ""
	if p != nil {
		run = p.Run
	}
	if err := writeSummary(o.summary, report.Refusal(run, o.source, reason)); err != nil {
		logError(err)
	}
	return exitRefused
}

// writeSummary writes s to the file that the kubelet reads as the container's termination message.
func writeSummary(path string, s report.Summary) error {
	if err := writeFile(path, s.Encode()); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// writeFile replaces the content of a file. If it is a pipe, it does not wait for a reader.
func writeFile(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NONBLOCK, 0o644)
	if errors.Is(err, syscall.ENXIO) {
		return fmt.Errorf("%w: it is a pipe that nobody reads; name a file", err)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
