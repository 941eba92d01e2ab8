package verdict

import (
	"net/netip"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// The complete messages of PathMTU, in the order of its rules.
func TestPathMTUMessages(t *testing.T) { //nolint:funlen // one table of sentences
	foreign := &conn.ReceivedReset{Held: true}
	tooBig := func(mtu int) *TooBig { return &TooBig{netip.MustParseAddr("192.0.2.1"), mtu, 1500} }
	for name, c := range map[string]struct {
		change func(*PathSizes)
		reason report.Reason
		want   string
	}{
		"expired": {func(o *PathSizes) { o.Expired = true }, report.DeadlineExceeded,
			"the run's deadline came before a verdict"},
		"not open": {func(o *PathSizes) { o.Opening = conn.Opening{} }, report.PathDown,
			"no connection could be opened (no answer), so nothing is known about longer segments; see Handshake"},
		"blackhole": {func(o *PathSizes) { o.lost(1401) }, report.PathMTUBlackhole,
			"IP packets of 1440 bytes arrive (1400 bytes of data), those of 1441 or more vanish, up to the 1500 that " +
				"both ends allow, without an ICMP error: 10 of 10 of these were lost, and 0 of 30 others, in random order " +
				"(p = 1.2e-09), and each that was sent alone. What they carry arrives in shorter ones. A connection stalls " +
				"at its first full segment. The way back was not asked: the target sent no data"},
		"blackhole, an error that asks for as much": {func(o *PathSizes) { o.lost(1401); o.TooBig = tooBig(1500) },
			report.PathMTUBlackhole,
			"IP packets of 1440 bytes arrive (1400 bytes of data), those of 1441 or more vanish, up to the 1500 that " +
				"both ends allow, though 192.0.2.1 answers one of 1500 by an ICMP error that names an MTU of 1500, so a " +
				"sender that obeys loses its segments all the same: 10 of 10 of these were lost, and 0 of 30 others, in " +
				"random order (p = 1.2e-09), and each that was sent alone. What they carry arrives in shorter ones. A " +
				"connection stalls at its first full segment. The way back was not asked: the target sent no data"},
		"blackhole, an error without MTU": {func(o *PathSizes) { o.lost(1401); o.TooBig = tooBig(0) },
			report.PathMTUBlackhole,
			"IP packets of 1440 bytes arrive (1400 bytes of data), those of 1441 or more vanish, up to the 1500 that " +
				"both ends allow, though 192.0.2.1 answers one of 1500 by an ICMP error that names no MTU, so a sender " +
				"that obeys loses its segments all the same: 10 of 10 of these were lost, and 0 of 30 others, in random " +
				"order (p = 1.2e-09), and each that was sent alone. What they carry arrives in shorter ones. A connection " +
				"stalls at its first full segment. The way back was not asked: the target sent no data"},
		"blackhole, a false error": {func(o *PathSizes) { o.lost(1401); o.Disbelieved = 1 }, report.PathMTUBlackhole,
			"IP packets of 1440 bytes arrive (1400 bytes of data), those of 1441 or more vanish, up to the 1500 that " +
				"both ends allow, without an ICMP error that a kernel believes (1 came that quote what was not on its way, " +
				"or name an impossible MTU): 10 of 10 of these were lost, and 0 of 30 others, in random order (p = " +
				"1.2e-09), and each that was sent alone. What they carry arrives in shorter ones. A connection stalls at " +
				"its first full segment. The way back was not asked: the target sent no data"},
		"dropped": {func(o *PathSizes) { o.lost(0); o.Beside, o.Arrived = 700, 1460 }, report.SizeDropped,
			"IP packets of 740 bytes are lost, though longer ones arrive, up to 1500: 10 of 10 of these were lost, and " +
				"0 of 30 others, in random order (p = 1.2e-09), and each that was sent alone. What they carry arrives in " +
				"others. This is no MTU, but something that drops by length. The way back was not asked: the target sent " +
				"no data"},
		"arrived": {func(o *PathSizes) { o.Arrived = 1460 }, report.SizesArrived,
			"IP packets of up to 1500 bytes arrived in one connection, without fragmentation; this host's device or " +
				"route carries no longer ones. The way back was not asked: the target sent no data"},
		"arrived, as the peer allows": {func(o *PathSizes) { o.Arrived, o.Most, o.Limits.Peer = 1360, 1360, 1360 },
			report.SizesArrived,
			"IP packets of up to 1400 bytes arrived in one connection, without fragmentation; longer ones are never " +
				"sent to this target: the MSS in its SYN-ACK is 1360 (its own, or one that a device on the way has " +
				"lowered), this host could send 1500. The way back was not asked: the target sent no data"},
		"arrived, less than both allow": {func(o *PathSizes) { o.Arrived, o.Most, o.Limits.Peer = 1000, 1000, 1360 },
			report.SizesArrived,
			"IP packets of up to 1040 bytes arrived in one connection, without fragmentation; longer ones are not " +
				"asked. The way back was not asked: the target sent no data"},
		"arrived, one byte": {func(o *PathSizes) { o.Arrived, o.Most = 1, 1 }, report.SizesArrived,
			"IP packets of up to 41 bytes arrived in one connection, without fragmentation; longer ones are not asked. " +
				"The way back was not asked: the target sent no data"},
		"arrived, and some came back": {func(o *PathSizes) { o.Arrived, o.Back = 1460, WayBack{Sent: true, Longest: 1200} },
			report.SizesArrived,
			"IP packets of up to 1500 bytes arrived in one connection, without fragmentation; this host's device or " +
				"route carries no longer ones. On the way back all data came, in IP packets of up to 1240 bytes"},
		"arrived, and merged ones came back": {func(o *PathSizes) {
			o.Arrived, o.Back = 1460, WayBack{Sent: true}
		}, report.SizesArrived,
			"IP packets of up to 1500 bytes arrived in one connection, without fragmentation; this host's device or " +
				"route carries no longer ones. On the way back data came, whose packets this host merged"},
		"arrived, and not all came back": {func(o *PathSizes) {
			o.Arrived, o.Back = 1460, WayBack{Sent: true, Missing: true}
		}, report.SizesArrived,
			"IP packets of up to 1500 bytes arrived in one connection, without fragmentation; this host's device or " +
				"route carries no longer ones. On the way back some of the target's data never came though later data did: " +
				"its longer segments may be lost there"},
		"signaled": {func(o *PathSizes) { o.Arrived, o.Missing, o.TooBig = 1360, 1361, tooBig(1400) },
			report.PathMTUSignaled,
			"IP packets of up to 1400 bytes arrived in one connection. Longer ones do not, up to the 1500 that both " +
				"ends allow, but 192.0.2.1 answers one of 1500 by an ICMP error that names an MTU of 1400: a sender that " +
				"gets it sends shorter ones. The way back was not asked: the target sent no data"},
		"signaled, and less arrives": {func(o *PathSizes) { o.Arrived, o.Missing, o.TooBig = 1359, 1361, tooBig(1400) },
			report.PathLossy,
			"IP packets of 1401 bytes were lost several times in a row, but chance, or a limit on the rate of bytes, " +
				"is not excluded; those of 1399 arrived; too few for a confirmation"},
		"signaled without MTU": {func(o *PathSizes) {
			o.Arrived, o.Missing, o.Refused, o.TooBig = 1360, 1361, true, tooBig(0)
		}, report.PathMTUSignaled,
			"IP packets of up to 1400 bytes arrived in one connection. Longer ones do not, up to the 1500 that both " +
				"ends allow, but 192.0.2.1 answers one of 1500 by an ICMP error that names no MTU: a sender that gets it " +
				"sends shorter ones. The way back was not asked: the target sent no data"},
		"signaled without MTU, at one byte": {func(o *PathSizes) {
			o.Arrived, o.Missing, o.Refused, o.TooBig = 1, 2, true, tooBig(0)
		}, report.PathMTUSignaled,
			"IP packets of up to 41 bytes arrived in one connection. Longer ones do not, up to the 1500 that both " +
				"ends allow, but 192.0.2.1 answers one of 1500 by an ICMP error that names no MTU: a sender that gets it " +
				"sends shorter ones. The way back was not asked: the target sent no data"},
		"signaled without MTU, of a longer one": {func(o *PathSizes) {
			o.Arrived, o.Missing, o.Refused, o.TooBig = 1360, 1362, true, tooBig(0)
		}, report.PathLossy,
			"IP packets of 1402 bytes were lost several times in a row, but chance, or a limit on the rate of bytes, " +
				"is not excluded; those of 1400 arrived; too few for a confirmation"},
		"signaled without MTU, of another": {func(o *PathSizes) {
			o.Arrived, o.Missing, o.TooBig = 1360, 1361, tooBig(0)
		}, report.PathLossy,
			"IP packets of 1401 bytes were lost several times in a row, but chance, or a limit on the rate of bytes, " +
				"is not excluded; those of 1400 arrived; too few for a confirmation"},
		"reset by another": {func(o *PathSizes) { o.PeerReset, o.Reset = true, foreign }, report.PeerReset,
			"an RST ended the connection after IP packets of up to 1440 bytes; the peer held 1 of 1 of these " +
				"connections still: a device on the way sent it, with the peer's hop limit"},
		"an RST, but not the end": {func(o *PathSizes) { o.Reset = foreign }, report.PathLossy,
			"IP packets of up to 1440 bytes arrived, longer ones could not be asked"},
		"reset": {func(o *PathSizes) { o.PeerReset = true }, report.PeerReset,
			"the connection was reset after IP packets of up to 1440 bytes, with both payloads: the application closes " +
				"when it gets unfinished requests; set a payload that it waits on"},
		"unheard": {func(o *PathSizes) { o.Arrived, o.TooBig = 0, tooBig(1400) }, report.PathDown,
			"the connection was opened, but not even short data was acknowledged (the target's window is 65535 bytes); " +
				"see Handshake"},
		"unheard, and the shortest refused": {func(o *PathSizes) {
			o.Arrived, o.Missing, o.Refused, o.TooBig = 0, 1, true, tooBig(0)
		}, report.PathDown,
			"the connection was opened, but not even short data was acknowledged (the target's window is 65535 bytes); " +
				"see Handshake"},
		"nothing may be sent": {func(o *PathSizes) { o.Arrived, o.Most = 0, 0 }, report.PathDown,
			"the connection was opened, but not even short data was acknowledged (the target's window is 65535 bytes); " +
				"see Handshake"},
		"not isolated": {func(o *PathSizes) { o.lost(1401); o.Isolated = false }, report.NotIsolated,
			"IP packets of 1441 bytes are not answered, and afterwards neither are their bytes in shorter ones: this " +
				"is not shown to be a matter of the length"},
		"one beside not isolated": {func(o *PathSizes) { o.lost(0); o.Beside, o.Isolated = 700, false },
			report.NotIsolated,
			"IP packets of 740 bytes are not answered, and afterwards neither are their bytes in shorter ones: this is " +
				"not shown to be a matter of the length"},
		"not asked": {func(*PathSizes) {}, report.PathLossy,
			"IP packets of up to 1440 bytes arrived, longer ones could not be asked"},
		"undecided": {func(o *PathSizes) { o.Missing, o.Blocks, o.Isolated = 1401, undecided, true }, report.PathLossy,
			"IP packets of 1441 bytes were lost several times in a row, but chance, or a limit on the rate of bytes, " +
				"is not excluded; those of 1440 arrived; confirmation undecided: 10 suspects and 15 of 30 beacons lost (p " +
				"= 3.9e-03, needed 5.0e-08)"},
		"one beside": {func(o *PathSizes) { o.Beside, o.Arrived = 700, 1460 }, report.PathLossy,
			"IP packets of 740 bytes were lost several times in a row, but chance, or a limit on the rate of bytes, is " +
				"not excluded; those of 1500 arrived; too few for a confirmation"},
	} {
		o := PathSizes{Observation: Observation{Opening: open}, Arrived: 1400, Most: 1460,
			Limits: conn.Limits{Headers: 40, Own: 1460, Peer: 1460, Window: 65535}}
		c.change(&o)
		f := PathMTU(&o)
		if f.Message != c.want || f.Reason != c.reason {
			t.Errorf("%s: %s: %s", name, f.Reason, f.Message)
		}
		convicts := f.Verdict == report.Fail
		if passes := c.reason == report.SizesArrived || c.reason == report.PathMTUSignaled; o.Passes() != passes ||
			(f.Verdict == report.Pass) != passes || f.Tested != convicts || convicts != o.convicted() {
			t.Errorf("%s: %s, passes %t, tested %t", name, f.Verdict, o.Passes(), f.Tested)
		}
	}
}

// lost has segments of this length lost, as a block confirms.
func (o *PathSizes) lost(missing int) { o.Missing, o.Blocks, o.Isolated = missing, confirmed, true }
