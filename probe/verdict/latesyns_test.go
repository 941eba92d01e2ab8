package verdict

import "testing"

// Silence after SYNs is waited out until three flows have waited in vain, and always where an answer came late.
func TestLateSYNs(t *testing.T) {
	for name, c := range map[string]struct {
		waits      []bool // answered
		worthwhile bool
	}{
		"none yet":                    {nil, true},
		"two in vain":                 {[]bool{false, false}, true},
		"three in vain":               {[]bool{false, false, false}, false},
		"one answered":                {[]bool{false, true, false, false, false}, true},
		"all in vain, then an answer": {[]bool{false, false, false, true}, true},
		"answers do not count":        {[]bool{true, true, true}, true},
	} {
		var l LateSYNs
		for _, answered := range c.waits {
			l.Add(answered)
		}
		for range 2 { // asking changes nothing
			if got := l.Worthwhile(); got != c.worthwhile {
				t.Errorf("%s: worthwhile %t", name, got)
			}
		}
	}
	var none *LateSYNs
	if none.Add(false); !none.Worthwhile() {
		t.Error("without a record it is not waited")
	}
}
