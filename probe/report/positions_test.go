package report

import (
	"slices"
	"testing"
)

func TestPositionsAsRanges(t *testing.T) {
	for text, positions := range map[string][]int{
		"0":           {0},
		"0-3,7":       {0, 1, 2, 3, 7},
		"1,3,5-6,127": {1, 3, 5, 6, 127},
	} {
		if got := formatPositions(slices.Clone(positions)); got != text {
			t.Errorf("%v is written %q, want %q", positions, got, text)
		}
		got, err := parsePositions(text, 128)
		if err != nil || !slices.Equal(got, positions) {
			t.Errorf("%q is read as %v, %v; want %v", text, got, err, positions)
		}
		if got := (Group{Targets: text}).Positions(); !slices.Equal(got, positions) {
			t.Errorf("Positions of %q: %v, want %v", text, got, positions)
		}
	}
	if got := formatPositions([]int{7, 1, 0, 7, 3, 2}); got != "0-3,7" {
		t.Errorf("unordered and repeated positions are written %q", got)
	}
}

func TestForgedPositions(t *testing.T) {
	for _, text := range []string{
		"", ",", "0,", "-", "-1", "1-", "a", "0x1", "+1", " 1", "1 ", "3-1", "1,1", "2,1", "0-3,2", "8", "0-8",
		"0-4000000000", "1--2", "1-2-3", "99999999999999999999",
	} {
		if got, err := parsePositions(text, 8); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
