//go:build net

package lab

import (
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

const (
	ack = segment.ACK
	psh = segment.PSH
	syn = segment.SYN
)

// parsed returns the faults with these valid names.
func parsed(t *testing.T, texts ...string) []fault.Fault {
	t.Helper()
	faults, err := fault.ParseAll(texts)
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

// flow returns a segment of one of many flows to the same target, which differ in the source port.
func flow(f Family, i int) *segment.Segment {
	return &segment.Segment{
		Source:      netip.AddrPortFrom(subnets[f].client.Addr(), uint16(61000+i)),
		Destination: netip.AddrPortFrom(subnets[f].server.Addr(), 9999), Flags: ack | psh, WindowScale: -1, Len: 4,
	}
}
