package findings

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Location is a set of pairs that have one cause in common, as far as their ends tell.
type Location struct {
	Scope  string
	Source string // with scope Topology, Source or Pair
	Target int    // with scope Target or Pair
	Pairs  []Pair
	Of     int // pairs that could have been in it
}

// localize explains the affected pairs by as few causes as their ends allow: all pairs; else nodes most of whose pairs
// are affected, those from them and those to their pods; else sources most of whose pairs are; else targets most
// of whose pairs are; else single pairs. all are the pairs that were asked, affected ones included. smallest is how
// many pairs a source needs before it counts as a cause. nodeOf says where a target runs.
func localize(all, affected []Pair, smallest int, nodeOf func(target int) string) []Location {
	sources, targets := bySource(all), byTarget(all)
	if len(sources) > 1 && (len(targets) > 1 || smallest == 1) && 10*len(affected) >= 9*len(all) {
		return []Location{{Scope: v1alpha1.ScopeAll, Pairs: affected, Of: len(all)}}
	}
	var out []Location
	rest := affected
	if smallest > 1 { // else it is the sources that are missing, not the way to them
		out, rest = cutOffNodes(all, affected, nodeOf)
	}
	for source, pairs := range bySource(rest) {
		if of := len(sources[source]); of >= smallest && most(len(pairs), of) {
			out = append(out, Location{Scope: v1alpha1.ScopeSource, Source: source, Pairs: pairs, Of: of})
			rest = slices.DeleteFunc(slices.Clone(rest), func(p Pair) bool { return p.Source == source })
		}
	}
	single := rest
	for target, pairs := range byTarget(rest) {
		if of := len(targets[target]); of > 1 && most(len(pairs), of) {
			out = append(out, Location{Scope: v1alpha1.ScopeTarget, Target: target, Pairs: pairs, Of: of})
			single = slices.DeleteFunc(slices.Clone(single), func(p Pair) bool { return p.Target == target })
		}
	}
	for _, p := range single {
		out = append(out, Location{Scope: v1alpha1.ScopePair, Source: p.Source, Target: p.Target, Pairs: []Pair{p}, Of: 1})
	}
	slices.SortFunc(out, func(a, b Location) int {
		return cmp.Or(cmp.Compare(len(b.Pairs), len(a.Pairs)), cmp.Compare(b.Scope, a.Scope),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target))
	})
	return out
}

// localizeListeners explains what concerns the endpoints alone, whoever asked: all of them, or each by itself.
func localizeListeners(all, affected []Pair) []Location {
	targets := byTarget(all)
	if len(targets) > 1 && 10*len(affected) >= 9*len(all) {
		return []Location{{Scope: v1alpha1.ScopeAll, Pairs: affected, Of: len(all)}}
	}
	var out []Location
	for _, p := range affected {
		out = append(out, Location{Scope: v1alpha1.ScopeTarget, Target: p.Target, Pairs: []Pair{p},
			Of: len(targets[p.Target])})
	}
	return out
}

// cutOffNodes finds the nodes whose cable, as it were, is at fault: pairs in both directions are affected, and most of
// them.
func cutOffNodes(all, affected []Pair, nodeOf func(target int) string) (nodes []Location, rest []Pair) {
	rest = affected
	sources := bySource(all)
	for _, node := range slices.Sorted(maps.Keys(sources)) {
		var out, in int
		touches := func(p Pair) bool { return (p.Source == node) != (nodeOf(p.Target) == node) }
		mine := slices.DeleteFunc(slices.Clone(rest), func(p Pair) bool { return !touches(p) })
		for _, p := range mine {
			if p.Source == node {
				out++
			} else {
				in++
			}
		}
		of := len(slices.DeleteFunc(slices.Clone(all), func(p Pair) bool { return !touches(p) }))
		if out > 0 && in > 0 && most(len(mine), of) {
			nodes = append(nodes, Location{Scope: v1alpha1.ScopeTopology, Source: node, Pairs: mine, Of: of})
			rest = slices.DeleteFunc(slices.Clone(rest), touches)
		}
	}
	return nodes, rest
}

// most is three quarters.
func most(n, of int) bool { return 4*n >= 3*of }

func bySource(pairs []Pair) map[string][]Pair {
	out := make(map[string][]Pair)
	for _, p := range pairs {
		out[p.Source] = append(out[p.Source], p)
	}
	return out
}

func byTarget(pairs []Pair) map[int][]Pair {
	out := make(map[int][]Pair)
	for _, p := range pairs {
		out[p.Target] = append(out[p.Target], p)
	}
	return out
}
