package fault

import (
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// flow returns a segment of one of many flows between two addresses, which differ in the source port.
func flow(from, to netip.Addr, i int) *segment.Segment {
	return &segment.Segment{
		Source:      netip.AddrPortFrom(from, uint16(61000+i)),
		Destination: netip.AddrPortFrom(to, 9999), Flags: ack | psh, WindowScale: -1, Len: 4,
	}
}

// With every seed, each member gets its share of the flows. Another seed distributes them differently.
func TestMembersShareTheFlows(t *testing.T) {
	const flows, members = 4096, 16
	for _, ends := range [][2]string{{"192.0.2.1", "192.0.2.2"}, {"2001:db8::1", "2001:db8::2"}} {
		from, to := netip.MustParseAddr(ends[0]), netip.MustParseAddr(ends[1])
		for seed := range uint32(20) {
			m, next := Members{Count: members, Bad: 1, Seed: seed}, Members{Count: members, Bad: 1, Seed: seed + 1}
			var carried [members]int
			same := 0
			for i := range flows {
				carried[m.choose(flow(from, to, i))]++
				if m.choose(flow(from, to, i)) == next.choose(flow(from, to, i)) {
					same++
				}
			}
			chi := 0.0
			for _, n := range carried {
				d := float64(n) - flows/members
				chi += d * d / (flows / members)
			}
			if chi > 50 { // 15 degrees of freedom: exceeded by chance once in 100,000
				t.Errorf("%s, seed %d: members carry %v of %d flows", to, seed, carried, flows)
			}
			if same < 128 || same > 400 { // 256, standard deviation 15
				t.Errorf("%s: seeds %d and %d agree on %d of %d flows", to, seed, seed+1, same, flows)
			}
		}
	}
}
