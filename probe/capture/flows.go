package capture

import (
	"fmt"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// flows turns records into packets and gives each flow a name: a number from 1 in the order of appearance, and the
// purpose that its first sent segment has.
type flows struct {
	names   map[[2]netip.AddrPort]string
	builder segment.Builder
}

// packet returns the bytes that the record's packet had on the wire. The data are valid until the next call.
func (f *flows) packet(r conn.Record) (packet, error) {
	p := packet{time: r.Time, flags: inbound, comment: f.name(r), data: r.Header, length: r.Len}
	switch r.Origin {
	case conn.Prober:
		data, err := f.builder.IP(r.Sent)
		if err != nil {
			return packet{}, err
		}
		p.data, p.length, p.flags = data, len(data), outbound
		p.comment += ", sent: " + r.Part.String()
	case conn.Peer:
		p.comment += ", received"
	case conn.Unguarded:
		p.comment += ", received on a device without the guard"
	case conn.Kernel:
		p.flags = outbound
		p.comment += ", sent by this host's kernel and not by the prober"
	}
	return p, nil
}

func (f *flows) name(r conn.Record) string {
	key := [2]netip.AddrPort{r.Local, r.Remote}
	if f.names == nil {
		f.names = map[[2]netip.AddrPort]string{}
	}
	if f.names[key] == "" {
		f.names[key] = fmt.Sprintf("flow %d", len(f.names)+1)
		if r.Purpose != "" {
			f.names[key] += " of " + r.Purpose
		}
	}
	return f.names[key]
}
