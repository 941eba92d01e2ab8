package run

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// connectSegments is how many segments of a connect wait for the pace: SYN, ACK, FIN, and the last ACK or an RST.
const connectSegments = 4

// connect makes one ordinary connection of this host's kernel to a target once all flows are over, where crafted ones
// got through, and notes what it came to. Where the flows were not seen to end, it could not be ended either, and is
// not made.
func (j *job) connect(ctx context.Context, h *host, env flow.Env, position int) {
	j.mu.Lock()
	mine := j.results[position*len(j.checks) : (position+1)*len(j.checks)]
	asks := slices.ContainsFunc(mine, verdict.ComesAbout) && j.remains == (flow.Remains{})
	j.mu.Unlock()
	if !asks || j.plan.KernelConnections == plan.Off || env.Pace == nil || env.Pace(ctx, connectSegments) != nil {
		return
	}
	c, err := kernelconn.Try(ctx, env.Remote, h.device)
	if err != nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.connected += c.Segments()
	for i := range mine {
		mine[i] = verdict.WithConnect(mine[i], c)
	}
}
