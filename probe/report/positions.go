package report

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// formatPositions writes positions as ascending ranges: "0-3,7".
func formatPositions(positions []int) string {
	slices.Sort(positions)
	positions = slices.Compact(positions)
	var ranges []string
	for i := 0; i < len(positions); {
		j := i
		for j+1 < len(positions) && positions[j+1] == positions[j]+1 {
			j++
		}
		r := strconv.Itoa(positions[i])
		if j > i {
			r += "-" + strconv.Itoa(positions[j])
		}
		ranges = append(ranges, r)
		i = j + 1
	}
	return strings.Join(ranges, ",")
}

var errPositions = errors.New(`not ascending ranges such as "0-3,7" of the targets that this source has`)

// parsePositions reads what formatPositions wrote. Positions from limit up are refused.
func parsePositions(s string, limit int) ([]int, error) {
	var out []int
	for r := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(r, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.ParseUint(first, 10, 16)
		b, errB := strconv.ParseUint(last, 10, 16)
		if errA != nil || errB != nil || b < a || int(b) >= limit || len(out) > 0 && int(a) <= out[len(out)-1] {
			return nil, errPositions
		}
		for n := int(a); n <= int(b); n++ {
			out = append(out, n)
		}
	}
	return out, nil
}

// Positions lists the group's targets, as indices into plan.Sources[node].
func (g Group) Positions() []int { return indices(g.Targets) }

func indices(ranges string) []int {
	out, err := parsePositions(ranges, 1<<16)
	if err != nil {
		return nil
	}
	return out
}
