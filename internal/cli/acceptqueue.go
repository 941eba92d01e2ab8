package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// acceptQueueFlags are the user's consent to AcceptQueue, and its limit.
type acceptQueueFlags struct {
	MaxConnections int // 0: none
}

func (q *acceptQueueFlags) register(cmd *cobra.Command) {
	cmd.Flags().IntVar(&q.MaxConnections, "max-connections", 0,
		fmt.Sprintf("how many connections AcceptQueue may open to each address, 1 to %d; required, as consent: "+
			"they take places in the queue of connections that wait for the application's accept(), and while it is full the "+
			"target's clients are turned away. "+
			"Only accept() frees the places again, so an application that has stalled stays full", plan.MaxConnections))
}

// apply sets the limit of the plan's AcceptQueue.
func (q *acceptQueueFlags) apply(p *plan.Plan) error {
	asked := false
	for i := range p.Scenarios {
		if p.Scenarios[i].Type != "AcceptQueue" {
			continue
		}
		asked = true
		if q.MaxConnections == 0 {
			return errors.New("--scenario AcceptQueue may fill the target's queue, which turns its clients away meanwhile, " +
				"and an application that has stalled stays full: " +
				"if the target's owner consents, add --max-connections N (a backlog of 128 shows with 150, nginx's 511 with 600)")
		}
		if q.MaxConnections < 1 || q.MaxConnections > plan.MaxConnections {
			return fmt.Errorf("--max-connections %d: want 1 to %d", q.MaxConnections, plan.MaxConnections)
		}
		if p.PacketsPerSecond < plan.LeastQueueRate {
			return fmt.Errorf("--packets-per-second %d: AcceptQueue needs %d or more, to be sure of an overflow in the 2 s "+
				"for which it holds a full queue", p.PacketsPerSecond, plan.LeastQueueRate)
		}
		p.Scenarios[i].AcceptQueue = &plan.AcceptQueue{MaxConnections: q.MaxConnections}
	}
	if !asked && q.MaxConnections != 0 {
		return errors.New("--max-connections is about AcceptQueue: add --scenario AcceptQueue")
	}
	return nil
}

// farQueue is how many seconds more a target may take before its first connection, where the round trip is half a
// second or a third is lost. Each connection may take one more: they are opened one after the other.
const farQueue = 30

// seconds is the time that filling the queues of all targets takes.
func (q *acceptQueueFlags) seconds(p *plan.Plan) int {
	if q.MaxConnections == 0 {
		return 0
	}
	return len(p.Targets) * (plan.QueueSeconds(q.MaxConnections, p.PacketsPerSecond) + farQueue + q.MaxConnections)
}
