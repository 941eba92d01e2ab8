package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// queue is the user's consent to AcceptQueue, and how far it goes.
type queue struct {
	maxConnections int // 0: none
}

func (q *queue) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&q.maxConnections, "max-connections", 0, fmt.Sprintf("how many connections AcceptQueue may open to each address, 1 to %d; required, as consent: "+
		"they take places in the queue of connections that wait for the application's accept(), and while it is full the target's clients are turned away. "+
		"Only accept() frees the places again, so an application that has stalled stays full", plan.MaxConnections))
}

// order gives the plan's AcceptQueue its limit.
func (q *queue) order(p *plan.Plan) error {
	asked := false
	for i := range p.Scenarios {
		if p.Scenarios[i].Type != "AcceptQueue" {
			continue
		}
		asked = true
		if q.maxConnections == 0 {
			return errors.New("--scenario AcceptQueue may fill the target's queue, which turns its clients away meanwhile, and an application that has stalled stays full: " +
				"if the target's owner consents, add --max-connections N (a backlog of 128 shows with 150, nginx's 511 with 600)")
		}
		if q.maxConnections < 1 || q.maxConnections > plan.MaxConnections {
			return fmt.Errorf("--max-connections %d: want 1 to %d", q.maxConnections, plan.MaxConnections)
		}
		if p.PacketsPerSecond < plan.LeastQueueRate {
			return fmt.Errorf("--packets-per-second %d: AcceptQueue needs %d or more, to be sure of an overflow in the 2 s for which it holds a full queue", p.PacketsPerSecond, plan.LeastQueueRate)
		}
		p.Scenarios[i].AcceptQueue = &plan.AcceptQueue{MaxConnections: q.maxConnections}
	}
	if !asked && q.maxConnections != 0 {
		return errors.New("--max-connections is about AcceptQueue: add --scenario AcceptQueue")
	}
	return nil
}

// seconds is what filling the queues of so many targets takes.
func (q *queue) seconds(p *plan.Plan) int {
	if q.maxConnections == 0 {
		return 0
	}
	return len(p.Targets) * plan.QueueSeconds(q.maxConnections, p.PacketsPerSecond)
}
