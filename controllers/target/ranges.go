package target

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
)

// ParseRanges reads ranges of addresses such as "10.1.0.0/16, 2001:db8::/32".
func ParseRanges(list string) ([]netip.Prefix, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	var ranges []netip.Prefix
	for part := range strings.SplitSeq(list, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(part))
		switch {
		case err != nil:
			return nil, fmt.Errorf("%q is no range; write one such as 10.1.0.0/16, or 10.1.2.3/32 for one address",
				text.Cut(strings.TrimSpace(part), 60))
		case p != p.Masked():
			return nil, fmt.Errorf("%s has bits beyond its length; write %s for the range, or a longer prefix", p, p.Masked())
		}
		ranges = append(ranges, p)
	}
	return ranges, nil
}

func joined(ranges []netip.Prefix) string {
	texts := make([]string, len(ranges))
	for i, p := range ranges {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}
