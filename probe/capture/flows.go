package capture

import (
	"fmt"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// flows turns records into packets and numbers their flows as they appear, from 1.
type flows struct {
	numbers map[[2]netip.AddrPort]int
	builder segment.Builder
}

// packet returns the record as it was on the wire. Its data are valid until the next call.
func (f *flows) packet(r conn.Record) (packet, error) {
	p := packet{time: r.Time, flags: inbound, data: r.Header, length: r.Len}
	n := f.number(r)
	switch r.Origin {
	case conn.Prober:
		data, err := f.builder.IP(r.Sent)
		if err != nil {
			return packet{}, err
		}
		p.data, p.length, p.flags = data, len(data), outbound
		p.comment = fmt.Sprintf("flow %d, sent: %s", n, r.Part)
	case conn.Peer:
		p.comment = fmt.Sprintf("flow %d, received", n)
	case conn.Stray:
		p.comment = fmt.Sprintf("flow %d, received on a device without the guard", n)
	case conn.Kernel:
		p.flags = outbound
		p.comment = fmt.Sprintf("flow %d, sent by this host's kernel, not by the prober", n)
	}
	return p, nil
}

func (f *flows) number(r conn.Record) int {
	key := [2]netip.AddrPort{r.Local, r.Remote}
	if f.numbers == nil {
		f.numbers = map[[2]netip.AddrPort]int{}
	}
	if f.numbers[key] == 0 {
		f.numbers[key] = len(f.numbers) + 1
	}
	return f.numbers[key]
}
