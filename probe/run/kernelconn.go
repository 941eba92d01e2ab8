package run

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Bounds of the kernel's connections to one target.
const (
	kernelAtOnce   = 2 // where each one's handshake takes long, only those count whose handshake is in progress
	kernelPatience = 5 * time.Second
	// shortPatience is what further connections get once one has stood still for as long as that.
	shortPatience = time.Second
	// kernelAhead is how many of a connection's segments wait for the pace before it begins. The others do not wait.
	kernelAhead = 5
	// brokenControls is how many connections must stand still, or not be established, before the path counts as broken
	// for all numbers.
	brokenControls = 2
)

// asksKernel reports whether the kernel's connections confirm or contradict what the check finds.
func asksKernel(c plan.Check) bool {
	return verdict.AsksKernel(report.Result{Scenario: c.Type, Variant: c.Variant})
}

// kernelTest is what connections of this host's own kernel show of one target: first one of each size that crosses 0,
// and controls, beside the crafted flows, and more only where one was harmed that crosses 0.
type kernelTest struct {
	env      flow.Env
	takeOver func(ledger.Entry, func()) (*conn.Conn, error)
	device   string
	openings *openings // of the crafted flows
	alpha    float64
	payloads []payload.Source
	ask      func(context.Context, kernelconn.Question) (kernelconn.Result, error)
	screened chan struct{} // closed after the first connections; nil: not begun

	settled atomic.Bool // the crafted flows have failed: what the kernel's connections suffer need not be measured

	mu       sync.Mutex
	payload  payload.Source
	evidence verdict.KernelEvidence
	patience time.Duration
	silent   int    // controls that stood still
	opened   int    // connections
	unopened [2]int // controls, and those that cross 0
	resets   int    // controls that the peer reset
	void     string // why a connection tells nothing
	found    report.KernelConnections
	ends     flow.Outcome // of the connections: what may be left, and the guard's self-check
}

// newKernelTest asks nothing yet; nil where the plan wants no such connections to the target of that index.
func (j *job) newKernelTest(env flow.Env, h *host, opened *openings, index int) *kernelTest {
	i := slices.IndexFunc(j.checks, func(c plan.Check) bool { return asksKernel(c) && j.plan.Asks(j.node, c, index) })
	if opened == nil || i < 0 || j.plan.KernelConnections == plan.Off {
		return nil
	}
	return &kernelTest{env: env, takeOver: h.flows().TakeOver, device: h.device, alpha: j.alpha, patience: kernelPatience,
		ask: kernelconn.Ask, openings: opened,
		payloads: flow.Payloads(j.plan.Scenarios[j.checks[i].Scenario], env.Remote.Port())}
}

// beside begins with the first connections beside the first check, where the plan has one that they are about, and lets
// them end before a check that counts connections or watches one for long.
func (k *kernelTest) beside(ctx context.Context, c plan.Check) {
	switch {
	case k == nil:
	case c.Type != "Handshake" && c.Type != "SequenceWrap":
		k.wait()
	case k.screened == nil:
		k.screened = make(chan struct{})
		k.openings.beginKernel(k.screened)
		go func() {
			defer close(k.screened)
			k.screen(ctx)
		}()
	}
}

// wait lets the first connections end.
func (k *kernelTest) wait() {
	if k.screened != nil {
		<-k.screened
	}
}

// screen makes the first connections, with the next payload where the application closes on one.
func (k *kernelTest) screen(ctx context.Context) {
	var all []kernelQuestion
	for _, size := range kernelconn.Sizes() {
		k.evidence.Sizes = append(k.evidence.Sizes, size.String())
		all = append(all, kernelQuestion{size: size, crossing: true})
		if size.Order == kernelconn.Waiting { // controls of the others are made where one that crosses 0 is harmed
			all = append(all, kernelQuestion{size: size})
		}
	}
	for _, p := range k.payloads {
		k.payload, k.evidence.Samples, k.resets = p, nil, 0
		k.each(ctx, all, k.broken, func(s verdict.KernelSample) {
			k.evidence.Samples = append(k.evidence.Samples, s)
		})
		if k.resets == 0 || k.evidence.NotAsked != "" || ctx.Err() != nil {
			return
		}
	}
	for i := range k.evidence.Samples {
		k.forgive(&k.evidence.Samples[i])
	}
}

// broken reports whether further connections would tell nothing: controls stand still, or none is established.
func (k *kernelTest) broken() bool {
	none := k.opened == 0 && k.unopened[0] > 0 && k.unopened[0]+k.unopened[1] >= brokenControls
	return none || k.silent >= brokenControls
}

// kernelQuestion is one connection to make.
type kernelQuestion struct {
	size            kernelconn.Size
	crossing, hasty bool
}

// each makes the connections in random order, few at a time, until enough says that the rest need not be made.
func (k *kernelTest) each(ctx context.Context, all []kernelQuestion, enough func() bool,
	add func(verdict.KernelSample)) {
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	places := make(chan struct{}, kernelAtOnce)
	var open sync.WaitGroup
	for _, q := range all {
		places <- struct{}{}
		k.mu.Lock()
		stop := ctx.Err() != nil || k.evidence.NotAsked != "" || enough()
		k.mu.Unlock()
		if stop {
			break
		}
		leave := sync.OnceFunc(func() { <-places })
		open.Go(func() {
			defer leave()
			for tries := k.tries(q); tries > 0; tries-- {
				if !k.one(ctx, q, leave, tries == 1, add) {
					break
				}
			}
		})
	}
	open.Wait()
}

// one makes a connection, ends it, and adds what it tells. It leaves its place to the next one as soon as may be. It
// reports whether to try again: what should have been in flight was not, and this is not the last try.
func (k *kernelTest) one(ctx context.Context, q kernelQuestion, leave func(), last bool,
	add func(verdict.KernelSample)) bool {
	if k.env.Pace(ctx, kernelAhead) != nil || !k.openings.allowance.takeKernel() {
		return false
	}
	k.mu.Lock()
	patience := k.patience
	k.mu.Unlock()
	if q.hasty {
		patience = shortPatience
	}
	known := patience == shortPatience
	enough := func(again int, waited time.Duration) bool {
		return again > 0 && (q.hasty || k.settled.Load() && (known || waited >= shortPatience))
	}
	r, err := k.ask(ctx, kernelconn.Question{Remote: k.env.Remote, Device: k.device, Size: q.size,
		Crossing: q.crossing, Payload: k.payload, Patience: patience, Enough: enough,
		Completed: func(took time.Duration) {
			if !q.hasty && took >= acceptTime {
				leave()
			}
		}})
	k.openings.settleKernel(r)
	ended := k.end(ctx, r.Remains)
	for range r.SegmentsSent - kernelAhead { // after the end: the peer's connection does not wait for that
		k.env.Take()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ends.Remains, k.ends.Guard = k.ends.Remains.Plus(ended.Remains), k.ends.Guard.Plus(ended.Guard)
	k.found.SegmentsSent += r.SegmentsSent
	switch {
	case errors.Is(err, kernelconn.ErrRefused):
		k.evidence.NotAsked = err.Error()
	case err != nil:
		k.void = err.Error()
	case r.Opened:
		k.opened++
		k.found.MSS, k.found.Timestamps, k.found.SACK = r.MSS, r.Timestamps, r.SACK
	}
	overtaken := r.Fate == kernelconn.Overtaken
	if r.Fate == kernelconn.Stopped || overtaken && !last {
		return overtaken
	}
	s := sampleOf(r, known)
	k.learn(r, s)
	add(s)
	return false
}

// flightTries is how often a connection is made whose data is to be in flight, until it is. Once none of so many was,
// the path is too short for it, and each is made once.
const flightTries = 3

func (k *kernelTest) tries(q kernelQuestion) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if q.size.Order != kernelconn.InFlight || k.evidence.Overtaken || k.openings.allowance != nil {
		return 1
	}
	return flightTries
}
