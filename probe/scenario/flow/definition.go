// Package flow has what all scenarios share: the environment and outcome of a flow, the connections of a flow, and the
// randomised trials that distinguish a drop rule of the path from chance.
package flow

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Func runs one flow of a scenario. After it has returned it sends nothing more.
type Func func(ctx context.Context, e *Env) Outcome

// PoolFunc runs one flow's part of the test over all flows of a check. After it has returned it sends nothing more.
type PoolFunc func(ctx context.Context, e *Env, size verdict.Block) (verdict.Pool, Outcome)

// FollowUpFunc asks about a result once all that the check began is over. lost says that its suspects were, in every
// copy; otherwise they arrived, and kernel connections were harmed. After it has returned it sends nothing more.
type FollowUpFunc func(ctx context.Context, e *Env, lost bool) (verdict.FollowUp, Outcome)

// Definition describes a scenario in the registry.
type Definition struct {
	Variants []string // empty: the scenario has none
	Flow     func(variant string) Func
	Pool     func(variant string) PoolFunc     // the test over all flows; nil, or nil for a variant, if there is none
	FollowUp func(variant string) FollowUpFunc // nil, or nil for a variant, if there is none
	NewPorts bool                              // follow-ups ask from new source ports, not from that of the result
	Flows    int                               // number of flows, whatever the plan's paths; 0: as many as those
	// Single holds for variants that one flow asks, whatever the plan's paths; nil: for none
	Single func(variant string) bool
	Serial bool // one target after the other: it may hold many connections to each
}

// Number is how many flows ask a variant, where the plan has so many paths. fixed: these do not decide.
func (d Definition) Number(variant string, paths int) (flows int, fixed bool) {
	switch {
	case d.Flows > 0:
		return d.Flows, true
	case d.Single != nil && d.Single(variant):
		return 1, true
	}
	return paths, false
}

// Has reports whether the scenario has that variant. Scenarios without variants have "".
func (d Definition) Has(variant string) bool {
	return slices.Contains(d.Variants, variant) || variant == "" && len(d.Variants) == 0
}
