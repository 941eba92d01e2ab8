package guard

import "testing"

// Each bound is a literal number, so that a changed constant fails the test.
func TestBounds(t *testing.T) {
	for what, c := range map[string]struct{ got, want int }{
		"flows":                                     {maxFlows, 16384},
		"packets of one peer in 67 ms":              {mostPassed, 1024},
		"peers whose packets are counted":           {maxRates, 1024},
		"locked bytes of a flow, before Linux 5.11": {flowBytes, 128},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", what, c.got, c.want)
		}
	}
	spec, err := specification(128, mostPassed)
	if err != nil {
		t.Fatal(err)
	}
	if n := spec.Maps[guardMapRates].MaxEntries; n != 128 { // a full one is more than may be locked
		t.Errorf("peers that are counted beside 128 flows: %d, want 128", n)
	}
}
