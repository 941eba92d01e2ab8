package target

import (
	"fmt"
	"slices"
	"testing"
)

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("node-%03d", i)
	}
	return out
}

func TestRendezvousIsStable(t *testing.T) {
	all := names(100)
	chosen := Rendezvous("seed", all, 16)
	if len(chosen) != 16 || !slices.IsSorted(chosen) {
		t.Fatalf("chose %v", chosen)
	}
	if again := Rendezvous("seed", all, 16); !slices.Equal(chosen, again) {
		t.Errorf("the same seed and names have two choices: %v, %v", chosen, again)
	}
	without := slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == chosen[3] })
	replaced := Rendezvous("seed", without, 16)
	if n := missing(chosen, replaced); n != 1 {
		t.Errorf("one node gone replaced %d of 16", n)
	}
	more := append(slices.Clone(all), "node-100")
	if n := missing(chosen, Rendezvous("seed", more, 16)); n > 1 {
		t.Errorf("one node more replaced %d of 16", n)
	}
}

func missing(before, after []string) (n int) {
	for _, name := range before {
		if !slices.Contains(after, name) {
			n++
		}
	}
	return n
}

func TestRendezvousSpreadsOverSeeds(t *testing.T) {
	all, times := names(20), make(map[string]int)
	for i := range 400 {
		for _, name := range Rendezvous(fmt.Sprint("seed", i), all, 5) {
			times[name]++
		}
	}
	for _, name := range all { // 100 expected, standard deviation 9
		if times[name] < 50 || times[name] > 150 {
			t.Errorf("%s was chosen %d times of 400; want about 100", name, times[name])
		}
	}
}

func TestRendezvousTakesAllIfThereAreFew(t *testing.T) {
	if got := Rendezvous("seed", names(3), 3); !slices.Equal(got, names(3)) {
		t.Errorf("chose %v", got)
	}
}

// TestWeightOfAName: another weight would choose other nodes after an upgrade.
func TestWeightOfAName(t *testing.T) {
	if got := Weight("seed", "node-000"); got != 0x9350e5b8e7dd5401 { // printf 'seed\0node-000' | sha256sum
		t.Errorf("weight %#x", got)
	}
}
