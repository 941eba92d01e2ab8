package target

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Rendezvous chooses at most n of names, in their order: those with the highest weight for seed (Thaler and
// Ravishankar's highest random weight). The same names give the same choice; adding or removing one name
// changes the choice by at most that one; different seeds spread over all names.
func Rendezvous(seed string, names []string, n int) []string {
	if len(names) <= n {
		return names
	}
	ranked := slices.Clone(names)
	weights := make(map[string]uint64, len(names))
	for _, name := range names {
		weights[name] = Weight(seed, name)
	}
	slices.SortFunc(ranked, func(a, b string) int {
		return cmp.Or(cmp.Compare(weights[b], weights[a]), cmp.Compare(a, b))
	})
	chosen := make(map[string]bool, n)
	for _, name := range ranked[:n] {
		chosen[name] = true
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !chosen[name] })
}

// Weight is the weight of a name for a seed: a hash, which spreads like a random number.
func Weight(seed, name string) uint64 {
	sum := sha256.Sum256([]byte(seed + "\x00" + name))
	return binary.BigEndian.Uint64(sum[:8])
}
