package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// idleTimeoutFlags say how long connections of IdleTimeout are silent.
type idleTimeoutFlags struct {
	IdleMax time.Duration // 0: not given
}

func (q *idleTimeoutFlags) register(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&q.IdleMax, "idle-max", 0,
		fmt.Sprintf("the longest silence that IdleTimeout asks about: %s to %s, %s unless said otherwise; so long it takes",
			plan.MinIdleSeconds*time.Second, plan.MaxIdleSeconds*time.Second, plan.DefaultIdleSeconds*time.Second))
}

// apply sets the silence of the plan's IdleTimeout.
func (q *idleTimeoutFlags) apply(p *plan.Plan) error {
	asked := false
	for i := range p.Scenarios {
		if p.Scenarios[i].Type != "IdleTimeout" {
			continue
		}
		asked = true
		s := q.idle()
		if s < plan.MinIdleSeconds || s > plan.MaxIdleSeconds {
			return fmt.Errorf("--idle-max %s: want %s to %s", q.IdleMax, plan.MinIdleSeconds*time.Second,
				plan.MaxIdleSeconds*time.Second)
		}
		p.Scenarios[i].IdleTimeout = &plan.IdleTimeout{MaxSeconds: s}
	}
	if !asked && q.IdleMax != 0 {
		return errors.New("--idle-max is about IdleTimeout: add --scenario IdleTimeout")
	}
	return nil
}

// idle is the silence in seconds.
func (q *idleTimeoutFlags) idle() int {
	if q.IdleMax == 0 {
		return plan.DefaultIdleSeconds
	}
	return int(q.IdleMax.Round(time.Second) / time.Second)
}

// idleSeconds is the time that the plan's IdleTimeout takes.
func idleSeconds(p *plan.Plan) (sum int) {
	for _, s := range p.Scenarios {
		if s.IdleTimeout != nil {
			sum += plan.IdleSeconds(s.IdleTimeout.MaxSeconds, p.PacketsPerSecond)
		}
	}
	return sum
}

// fitsIdling refuses a deadline before IdleTimeout is over.
func fitsIdling(p *plan.Plan, deadline int) error {
	if n := idleSeconds(p); n > deadline {
		return fmt.Errorf("--idle-max takes %s with the time to ask what is missing, and --deadline is %s: raise that, or "+
			"lower --idle-max", time.Duration(n)*time.Second, time.Duration(deadline)*time.Second)
	}
	return nil
}
