package segment

import (
	"strings"
	"testing"
)

func TestOptionNames(t *testing.T) {
	for want, s := range map[string]Segment{
		"":                   {WindowScale: -1},
		"MSS, SACKPermitted": {MSS: 1460, WindowScale: -1, SACKPermitted: true},
		"MSS, WindowScale":   {MSS: 1460, WindowScale: 0},
		"SACK":               {WindowScale: -1, SACK: make([]SACKBlock, 1)},
	} {
		if got := strings.Join(s.OptionNames(), ", "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
