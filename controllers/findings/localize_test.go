package findings

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// grid has every pair of n sources and m targets.
func grid(n, m int) []Pair {
	var out []Pair
	for s := range n {
		for t := range m {
			out = append(out, Pair{fmt.Sprintf("kn%d", s+1), t})
		}
	}
	return out
}

// offNode is a grid without the pairs whose source and target are on the same node.
func offNode(n int) []Pair {
	var out []Pair
	for _, p := range grid(n, n) {
		if p.Source != fmt.Sprintf("kn%d", p.Target+1) {
			out = append(out, p)
		}
	}
	return out
}

// nodeOf is the node of a target of a grid.
func nodeOf(target int) string { return fmt.Sprintf("kn%d", target+1) }

func filter(all []Pair, affected func(Pair) bool) []Pair {
	var out []Pair
	for _, p := range all {
		if affected(p) {
			out = append(out, p)
		}
	}
	return out
}

func from(source string) func(Pair) bool { return func(p Pair) bool { return p.Source == source } }

func to(target int) func(Pair) bool { return func(p Pair) bool { return p.Target == target } }

func either(a, b func(Pair) bool) func(Pair) bool {
	return func(p Pair) bool { return a(p) || b(p) }
}

var localizeCases = map[string]struct {
	all      []Pair
	affected func(Pair) bool
	smallest int
	want     string
}{
	"everything":        {grid(3, 3), func(Pair) bool { return true }, 2, "All 9/9"},
	"nearly everything": {grid(5, 4), func(p Pair) bool { return p != Pair{"kn5", 3} }, 2, "All 19/20"},
	"one node":          {grid(3, 3), from("kn2"), 2, "Source kn2 3/3"},
	"one endpoint":      {grid(3, 3), to(1), 2, "Target 1 3/3"},
	"most of one node": {grid(3, 4), func(p Pair) bool { return p.Source == "kn2" && p.Target != 3 }, 2,
		"Source kn2 3/4"},
	"half of one node": {grid(3, 4), func(p Pair) bool { return p.Source == "kn2" && p.Target > 1 }, 2,
		"Pair kn2 2 1/1, Pair kn2 3 1/1"},
	"one cable, both directions": {offNode(3), either(from("kn2"), to(1)), 2, "Topology kn2 4/4"},
	"most of one cable": {offNode(4),
		func(p Pair) bool { return p.Source == "kn2" && p.Target != 3 || p.Target == 1 }, 2, "Topology kn2 5/6"},
	"two cables": {offNode(5), either(either(from("kn2"), to(1)), either(from("kn4"), to(3))), 2,
		"Topology kn2 8/8, Topology kn4 6/8"},
	"two nodes": {grid(4, 4), either(from("kn2"), from("kn3")), 2,
		"Source kn2 4/4, Source kn3 4/4"},
	"one pair": {grid(3, 3), func(p Pair) bool { return p == Pair{"kn2", 1} }, 2,
		"Pair kn2 1 1/1"},
	"one of one endpoint":           {grid(3, 1), from("kn2"), 2, "Pair kn2 0 1/1"},
	"one endpoint, from everywhere": {grid(3, 1), to(0), 2, "Target 0 3/3"},
	"one source, to everywhere":     {grid(1, 3), from("kn1"), 2, "Source kn1 3/3"},
	"one and one":                   {grid(1, 1), from("kn1"), 2, "Pair kn1 0 1/1"},
	"a lost source is a source":     {grid(3, 1), from("kn2"), 1, "Source kn2 1/1"},
	"two lost sources of three": {grid(3, 3), either(from("kn1"), from("kn2")), 1,
		"Source kn1 3/3, Source kn2 3/3"},
	"every source lost":    {grid(3, 1), func(Pair) bool { return true }, 1, "All 3/3"},
	"the only source lost": {grid(1, 1), from("kn1"), 1, "Source kn1 1/1"},
	"a node and a pair somewhere else": {grid(4, 4), either(from("kn1"), func(p Pair) bool {
		return p == Pair{"kn3",
			2}
	}), 2, "Source kn1 4/4, Pair kn3 2 1/1"},
}

func TestLocalize(t *testing.T) {
	for name, c := range localizeCases {
		t.Run(name, func(t *testing.T) {
			var locations []string
			for _, loc := range localize(c.all, filter(c.all, c.affected), c.smallest, nodeOf) {
				text := loc.Scope
				if loc.Source != "" {
					text += " " + loc.Source
				}
				if loc.Scope == "Target" || loc.Scope == "Pair" {
					text += fmt.Sprint(" ", loc.Target)
				}
				locations = append(locations, fmt.Sprintf("%s %d/%d", text, len(loc.Pairs), loc.Of))
			}
			if got := strings.Join(locations, ", "); got != c.want {
				t.Errorf("%s; want %s", got, c.want)
			}
		})
	}
}

// TestLocalizeKeepsEveryPair: each affected pair is in exactly one location.
func TestLocalizeKeepsEveryPair(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		all := grid(1+random.IntN(6), 1+random.IntN(6))
		share := random.Float64()
		affected := filter(all, func(Pair) bool { return random.Float64() < share })
		seen := make(map[Pair]int)
		for _, loc := range localize(all, affected, 2, nodeOf) {
			for _, p := range loc.Pairs {
				seen[p]++
			}
		}
		for _, p := range affected {
			if seen[p] != 1 {
				t.Fatalf("%v is in %d locations of %v", p, seen[p], affected)
			}
		}
		if len(seen) != len(affected) {
			t.Fatalf("%d pairs in locations, %d affected", len(seen), len(affected))
		}
	}
}
