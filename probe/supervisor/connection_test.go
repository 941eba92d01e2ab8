package supervisor

import (
	"errors"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// A connection transfers several tasks one after the other, each with its report, until the parent closes it.
func TestConnectionCarriesManyTasks(t *testing.T) {
	c, err := Connect(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if files := c.Files(); len(files) != 3 || files[0] != nil {
		t.Fatalf("without ledger and spill the worker inherits %v", files)
	}
	socket, reports := c.Files()[taskFD-ledgerFD], c.Files()[reportFD-ledgerFD]
	for _, run := range []string{"first", strings.Repeat("long", 100000)} {
		sent := make(chan error, 1)
		go func() { sent <- c.Send(Task{Plan: &plan.Plan{Run: run}, Node: "client", Quiet: true}, nil) }()
		a, err := receiveTask(socket)
		if err := errors.Join(err, <-sent); err != nil {
			t.Fatal(err)
		}
		if a.Plan.Run != run || a.Node != "client" || !a.Quiet || !a.Until.IsZero() || a.Ledger || a.Spilled ||
			a.guard != nil {
			t.Errorf("task %.9q arrives as %.200v", run, a)
		}
		written := make(chan error, 1)
		go func() { written <- report.Report{APIVersion: report.APIVersion, Run: run}.WriteWhole(reports) }()
		r, err := c.Receive()
		if err := errors.Join(err, <-written); err != nil || r.Run != run {
			t.Errorf("report of %.9q: %.9q, %v", run, r.Run, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := receiveTask(socket); !errors.Is(err, errNoTask) {
		t.Errorf("after the end: %v", err)
	}
	if err := c.Inherited(); err != nil {
		t.Error(err)
	}
}
