package findings

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Location is a set of pairs that share one cause, as far as source and target tell.
type Location struct {
	Scope  string
	Source string // with scope Topology, Source or Pair
	Target int    // with scope Target or Pair
	Pairs  []Pair
	Of     int // pairs that were asked and could have been in it
}

// localize explains the affected pairs by as few locations as possible: all pairs; else nodes with most of the pairs
// from them and to their pods affected; else sources with most of their pairs affected; else targets with most of
// their pairs affected; else single pairs. all are the pairs that were asked, with the affected ones. smallest is how
// many pairs a source needs to count as a location. nodeOf is the node of a target.
func localize(all, affected []Pair, smallest int, nodeOf func(target int) string) []Location {
	sources, targets := bySource(all), byTarget(all)
	if len(sources) > 1 && (len(targets) > 1 || smallest == 1) && 10*len(affected) >= 9*len(all) {
		return []Location{{Scope: v1alpha1.ScopeAll, Pairs: affected, Of: len(all)}}
	}
	var out []Location
	rest := affected
	if smallest > 1 { // with 1, sources are missing: the paths to them are not the cause
		out, rest = cutOffNodes(all, affected, nodeOf)
	}
	for source, pairs := range bySource(rest) {
		if of := len(sources[source]); of >= smallest && mostOf(len(pairs), of) {
			out = append(out, Location{Scope: v1alpha1.ScopeSource, Source: source, Pairs: pairs, Of: of})
			rest = slices.DeleteFunc(slices.Clone(rest), func(p Pair) bool { return p.Source == source })
		}
	}
	single := rest
	for target, pairs := range byTarget(rest) {
		if of := len(targets[target]); of > 1 && mostOf(len(pairs), of) {
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

// localizeListeners explains findings about listeners, which do not depend on the source: all endpoints, or each by
// itself.
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

// cutOffNodes finds nodes whose link is the likely cause: pairs in both directions are affected, and most of them.
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
		if out > 0 && in > 0 && mostOf(len(mine), of) {
			nodes = append(nodes, Location{Scope: v1alpha1.ScopeTopology, Source: node, Pairs: mine, Of: of})
			rest = slices.DeleteFunc(slices.Clone(rest), touches)
		}
	}
	return nodes, rest
}

// mostOf reports whether n is at least three quarters of of.
func mostOf(n, of int) bool { return 4*n >= 3*of }

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
