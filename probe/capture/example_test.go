package capture

import (
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

var (
	here4, there4 = netip.MustParseAddrPort("192.0.2.1:61001"), netip.MustParseAddrPort("192.0.2.2:80")
	here6, there6 = netip.MustParseAddrPort("[2001:db8::1]:61002"), netip.MustParseAddrPort("[2001:db8::2]:80")
	started       = time.Date(2026, 10, 2, 12, 0, 0, 0, time.UTC)
)

// sent is a segment that the prober sent.
func sent(micros int, part evidence.Part, s segment.Segment) conn.Record {
	s.WindowScale, s.ID, s.Window = -1, 0x1234, 65535
	return conn.Record{Local: s.Source, Remote: s.Destination, Time: at(micros), Purpose: "SequenceWrap/Push", Part: part,
		Sent: &s}
}

// seen is a packet that the tap saw. It comes from the peer unless origin says otherwise.
func seen(micros int, origin conn.Origin, s segment.Segment) conn.Record {
	s.WindowScale, s.ID = -1, 0x4321
	packet, err := new(segment.Builder).IP(&s)
	if err != nil {
		panic(err)
	}
	p, _, err := segment.Parse(packet, segment.RawIP, len(packet))
	if err != nil {
		panic(err)
	}
	local, remote := s.Destination, s.Source
	if origin == conn.Kernel {
		local, remote = remote, local
	}
	return conn.Record{Local: local, Remote: remote, Time: at(micros), Origin: origin, Header: p.Header, Len: len(packet)}
}

func at(micros int) time.Time { return started.Add(time.Duration(micros) * time.Microsecond) }

// example has the records of a whole flow over IPv4 and of the start of one over IPv6. They are not sorted by time.
func example() []conn.Record {
	const m = 5
	to4 := func(flags segment.Flags, number uint32, payload string) segment.Segment {
		return segment.Segment{Source: here4, Destination: there4, Flags: flags, Seq: seq.At(number),
			Payload: []byte(payload)}
	}
	from4 := func(flags segment.Flags, ack uint32) segment.Segment {
		return segment.Segment{Source: there4, Destination: here4, Flags: flags, Seq: seq.At(77), Ack: seq.At(ack)}
	}
	syn := to4(segment.SYN, 1<<32-1-m, "")
	syn.MSS, syn.SACKPermitted = 1460, true
	missing := from4(segment.ACK, 0)
	missing.SACK = []segment.SACKBlock{{Left: seq.At(m), Right: seq.At(2 * m)}}
	secret := from4(segment.ACK|segment.PSH, 0)
	secret.Payload = []byte("what a peer says")
	return []conn.Record{
		sent(0, evidence.SYN, syn),
		seen(90, conn.Peer, from4(segment.SYN|segment.ACK, 1<<32-m)),
		sent(200, evidence.Control, to4(segment.ACK|segment.PSH, 1<<32-m, "GET /")),
		sent(400, evidence.Suspect, to4(segment.ACK|segment.PSH, 0, "index")),
		seen(290, conn.Peer, secret),
		sent(500, evidence.Witness, to4(segment.ACK|segment.PSH, m, "abcde")),
		seen(590, conn.Peer, missing),
		seen(595, conn.Unguarded, missing),
		seen(600, conn.Kernel, to4(segment.RST, 9, "")),
		{Local: here6, Remote: there6, Time: at(700), Purpose: "Handshake", Part: evidence.SYN,
			Sent: &segment.Segment{Source: here6, Destination: there6, Flags: segment.SYN, WindowScale: -1, Window: 65535}},
	}
}

// finding is a failed result that fits the example's packets.
func finding() report.Result {
	return report.Result{Scenario: "SequenceWrap", Variant: "Push", Target: there4.String(), Verdict: report.Fail,
		Reason: report.SequenceZeroDropped, Rule: "PushAtZero", Message: "data at sequence 0 is lost"}
}

func exampleReport(results ...report.Result) report.Report {
	return report.Report{Run: "r7", Source: report.Source{Node: "kn2"}, Kernel: "6.18.44", Started: started,
		Results: results}
}
