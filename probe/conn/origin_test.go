package conn

import (
	"net/netip"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Each packet is recorded with its origin and its length on the wire.
func TestRecordsHaveAnOrigin(t *testing.T) {
	local, remote := netip.MustParseAddrPort("192.0.2.1:61000"), netip.MustParseAddrPort("192.0.2.2:80")
	f := &flow{key: guard.Flow{Local: local, Remote: remote}}
	cut := &segment.Segment{Header: make([]byte, 40), Len: 1000}
	quoted := &segment.Unreachable{Header: make([]byte, 68), Len: 576}
	for _, c := range []struct {
		packet wire.Packet
		want   Origin
		size   int
		length int
	}{
		{wire.Packet{Segment: cut}, Peer, 40, 1040},
		{wire.Packet{Segment: cut, OtherDevice: true}, Unguarded, 40, 1040},
		{wire.Packet{Segment: cut, Outgoing: true}, Kernel, 40, 1040},
		{wire.Packet{Unreachable: quoted}, Peer, 68, 576},
	} {
		c.packet.Time = time.Unix(7, 0)
		r := f.recordOf(c.packet)
		if r.Origin != c.want || len(r.Header) != c.size || r.Len != c.length || r.Sent != nil {
			t.Errorf("%+v: record %+v, want %+v", c.packet, r, c)
		}
		if r.Local != local || r.Remote != remote || !r.Time.Equal(c.packet.Time) {
			t.Errorf("%+v: record %+v of another flow or time", c.packet, r)
		}
	}
}
