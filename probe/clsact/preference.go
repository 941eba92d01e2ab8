package clsact

import (
	"iter"
	"math"
	"slices"

	"github.com/vishvananda/netlink"
)

// kernelsFirst is the preference that the kernel chooses for the first filter of a device if the request names none.
const kernelsFirst = 0xC000

// preferences yields the preferences that a new filter may have beside the present filters, the best first. Filters
// with a lower preference run earlier.
func (a Attacher) preferences(present []netlink.Filter) iter.Seq[uint16] {
	var taken []int
	for _, f := range present {
		taken = append(taken, int(f.Attrs().Priority))
	}
	from, step := 1, 1
	switch {
	case a.First:
	case len(taken) == 0:
		from, step = kernelsFirst, -1
	case slices.Min(taken) > 1:
		from, step = slices.Min(taken)-1, -1
	}
	return func(yield func(uint16) bool) {
		for p := from; p > 0 && p < math.MaxUint16; p += step {
			if !slices.Contains(taken, p) && !yield(uint16(p)) {
				return
			}
		}
	}
}
