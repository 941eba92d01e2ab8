package clsact

import (
	"math"
	"slices"

	"github.com/vishvananda/netlink"
)

// kernelsFirst is the preference that the kernel chooses for the first filter of a device if the request names none.
const kernelsFirst = 0xC000

// preference is the best one for a new filter beside the present ones. Filters with a lower preference run earlier. It
// is false if none is free. If another process takes the same one meanwhile, both have it: handles tell them apart.
func (a Attacher) preference(present []netlink.Filter) (uint16, bool) {
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
	for p := from; p > 0 && p < math.MaxUint16; p += step {
		if !slices.Contains(taken, p) {
			return uint16(p), true
		}
	}
	return 0, false
}
