// Package flow holds what the flows of all scenarios work with: their environment and outcome, the connections of one
// flow, and the randomised trials that tell a rule of the path from chance.
package flow

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Func runs one flow of a scenario. It sends nothing after it returns.
type Func func(ctx context.Context, e *Env) Outcome

// PoolFunc is one flow's part in a test over all flows of a check. It sends nothing after it returns.
type PoolFunc func(ctx context.Context, e *Env, size verdict.Block) (verdict.Pool, Outcome)

// Definition is one entry of the registry.
type Definition struct {
	Variants []string // empty: the scenario has none
	Flow     func(variant string) Func
	Pool     func(variant string) PoolFunc // nil, or nil for a variant: there is none
	Flows    int                           // how many of them decide, whatever the plan's paths; 0: as many as those
	Serial   bool                          // asked of one target after the other: it may hold many connections to each
}

// Has reports whether the scenario can be asked in that variant; "" is the one of a scenario without any.
func (d Definition) Has(variant string) bool {
	return slices.Contains(d.Variants, variant) || variant == "" && len(d.Variants) == 0
}
