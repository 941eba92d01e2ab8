package fault

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// The timestamps option is found behind other options of both families, and nothing else is taken for it.
func TestTimestampsOption(t *testing.T) {
	ipv4 := append([]byte{0x46}, make([]byte, 23)...) // with four bytes of options
	ipv6 := append([]byte{0x60}, make([]byte, 39)...)
	tcp := make([]byte, 20)
	for name, c := range map[string]struct {
		options []byte
		want    bool
	}{
		"none":             {nil, false},
		"as Linux sends":   {[]byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, true},
		"behind SACK":      {[]byte{1, 1, 5, 10, 8, 8, 8, 8, 8, 8, 8, 8, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, true},
		"SACK alone":       {[]byte{1, 1, 5, 10, 8, 8, 8, 8, 8, 8, 8, 8}, false},
		"behind the end":   {[]byte{0, 0, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, false},
		"length of 0":      {[]byte{5, 0, 8, 10}, false},
		"length too great": {[]byte{5, 9, 8, 10}, false},
	} {
		for _, ip := range [][]byte{ipv4, ipv6} {
			header := append(append(append([]byte(nil), ip...), tcp...), c.options...)
			if got := hasTimestamps(&segment.Segment{Header: header}); got != c.want {
				t.Errorf("%s, IP header of %d bytes: %t", name, len(ip), got)
			}
		}
	}
	if hasTimestamps(&segment.Segment{}) || hasTimestamps(&segment.Segment{Header: ipv4}) {
		t.Error("found without a TCP header")
	}
}
