package verdict

import (
	"fmt"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// PathSizes is the observation of one flow of PathMTU. Lengths are those of the data unless they are said to be those
// of IP packets.
type PathSizes struct {
	Observation
	Limits      conn.Limits
	Most        int     // the longest that may be sent
	Arrived     int     // the longest that was acknowledged; 0: none
	Missing     int     // the shortest beyond it that was not; 0: none
	Refused     bool    // it drew an ICMP error
	Beside      int     // one without an answer although longer ones arrived; 0: none
	TooBig      *TooBig // the ICMP error that named the smallest MTU; nil: none came
	Disbelieved int     // ICMP errors that no kernel would believe
	Back        WayBack
}

// TooBig is an ICMP error about a packet that is too big for a link.
type TooBig struct {
	From   netip.Addr
	MTU    int // 0: it names none
	Packet int // length of the IP packet that drew it
}

// WayBack is what the peer's data shows of the way back.
type WayBack struct {
	Sent    bool // the peer sent data
	Longest int  // the longest segment; 0: this host merged them all, so that no length is known
	Missing bool // some data never came, although later data did
}

// sizesRule examines one aspect. ok is false if the rule does not apply.
type sizesRule func(*PathSizes) (f Finding, ok bool)

var pathMTURules = []sizesRule{sizesUnopened, sizesBlackhole, sizesDropped, sizesArrived, sizesSignaled, sizesReset,
	sizesUnheard, sizesNotIsolated, sizesLossy}

// PathMTU returns the finding for a flow of the scenario PathMTU.
func PathMTU(o *PathSizes) Finding {
	for _, r := range firstRules {
		if f, ok := r(&o.Observation); ok {
			return f
		}
	}
	for _, r := range pathMTURules {
		if f, ok := r(o); ok {
			return f
		}
	}
	panic("verdict: the last rule of a chain must always decide")
}

// Passes reports whether everything arrived that a sender may send: up to its bound, or up to the MTU that it is told.
func (o *PathSizes) Passes() bool {
	_, arrived := sizesArrived(o)
	_, signaled := sizesSignaled(o)
	return arrived || signaled
}

// packet is the length of the IP packet with so much data.
func (o *PathSizes) packet(length int) int { return length + o.Limits.Headers }

func (o *PathSizes) convicted() bool { return o.LossConfirmed() && o.Isolated }

func sizesUnopened(o *PathSizes) (Finding, bool) {
	return when(o.Opening.Answer != conn.SynAck, report.Inconclusive, report.PathDown,
		"no connection could be opened (%s), so nothing is known about longer segments; see Handshake", o.Opening.Answer)
}

func sizesBlackhole(o *PathSizes) (Finding, bool) {
	if !o.convicted() || o.Missing == 0 {
		return Finding{}, false
	}
	return tested(when(true, report.Fail, report.PathMTUBlackhole,
		"IP packets of %d bytes arrive (%d bytes of data), those of %d or more vanish, up to the %d that both ends allow, "+
			"%s: %s. What they carry arrives in shorter ones. A connection stalls at its first full segment%s",
		o.packet(o.Arrived), o.Arrived, o.packet(o.Missing), o.packet(o.Most), o.withoutError(), o.compared(), o.back()))
}

// withoutError says that no ICMP error came that a sender could act on.
func (o *PathSizes) withoutError() string {
	switch t := o.TooBig; {
	case t != nil:
		return fmt.Sprintf("though %s, so a sender that obeys loses its segments all the same", t)
	case o.Disbelieved > 0:
		return fmt.Sprintf("without an ICMP error that a kernel believes (%d came that quote what was not on its way, or "+
			"name an impossible MTU)", o.Disbelieved)
	}
	return "without an ICMP error"
}

func (o *PathSizes) compared() string {
	b := o.Blocks[len(o.Blocks)-1]
	return fmt.Sprintf("%d of %d of these were lost, and %d of %d others, in random order (p = %.1e), and each that "+
		"was sent alone", b.Suspects, b.Suspects, b.BeaconsLost, b.Beacons, b.P())
}

func (t *TooBig) String() string {
	if t.MTU == 0 {
		return fmt.Sprintf("%s answers one of %d by an ICMP error that names no MTU", t.From, t.Packet)
	}
	return fmt.Sprintf("%s answers one of %d by an ICMP error that names an MTU of %d", t.From, t.Packet, t.MTU)
}

func sizesDropped(o *PathSizes) (Finding, bool) {
	if !o.convicted() {
		return Finding{}, false
	}
	return tested(when(true, report.Fail, report.SizeDropped,
		"IP packets of %d bytes are lost, though longer ones arrive, up to %d: %s. What they carry arrives in others. This "+
			"is no MTU, but something that drops by length%s", o.packet(o.Beside), o.packet(o.Arrived), o.compared(), o.back()))
}

func sizesArrived(o *PathSizes) (Finding, bool) {
	return when(o.Arrived > 0 && o.Arrived == o.Most && o.Beside == 0, report.Pass, report.SizesArrived,
		"IP packets of up to %d bytes arrived in one connection, without fragmentation; %s%s", o.packet(o.Arrived),
		o.bound(), o.back())
}

// bound says why nothing longer was sent.
func (o *PathSizes) bound() string {
	switch l := o.Limits; {
	case o.Most == l.Peer && l.Peer < l.Own:
		return fmt.Sprintf("longer ones are never sent to this target: the MSS in its SYN-ACK is %d (its own, or one that a "+
			"device on the way has lowered), this host could send %d", l.Peer, o.packet(l.Own))
	case o.Most == l.Own:
		return "this host's device or route carries no longer ones"
	}
	return "longer ones are not asked"
}

func sizesSignaled(o *PathSizes) (Finding, bool) {
	t := o.TooBig
	if t == nil || o.Arrived == 0 {
		return Finding{}, false
	}
	named := t.MTU != 0 && o.packet(o.Arrived) >= t.MTU
	unnamed := t.MTU == 0 && o.Refused && o.Missing == o.Arrived+1
	return when(named || unnamed, report.Pass, report.PathMTUSignaled,
		"IP packets of up to %d bytes arrived in one connection. Longer ones do not, up to the %d that both ends allow, but "+
			"%s: a sender that gets it sends shorter ones%s", o.packet(o.Arrived), o.packet(o.Most), t, o.back())
}

func sizesReset(o *PathSizes) (Finding, bool) {
	if r := o.Reset; o.PeerReset && r.Foreign() {
		return when(true, report.Inconclusive, report.PeerReset, "an RST ended the connection after IP packets of up to %d "+
			"bytes; %s", o.packet(o.Arrived), Sender([]*conn.ReceivedReset{r}))
	}
	return when(o.PeerReset, report.Inconclusive, report.PeerReset,
		"the connection was reset after IP packets of up to %d bytes, with both payloads: the application closes when it "+
			"gets unfinished requests; set a payload that it waits on", o.packet(o.Arrived))
}

func sizesUnheard(o *PathSizes) (Finding, bool) {
	return when(o.Arrived == 0, report.Inconclusive, report.PathDown,
		"the connection was opened, but not even short data was acknowledged (the target's window is %d bytes); see "+
			"Handshake", o.Limits.Window)
}

func sizesNotIsolated(o *PathSizes) (Finding, bool) {
	return when(o.LossConfirmed(), report.Inconclusive, report.NotIsolated,
		"IP packets of %d bytes are not answered, and afterwards neither are their bytes in shorter ones: this is not shown "+
			"to be a matter of the length", o.packet(max(o.Missing, o.Beside)))
}

func sizesLossy(o *PathSizes) (Finding, bool) {
	if o.Missing == 0 && o.Beside == 0 {
		return when(true, report.Inconclusive, report.PathLossy,
			"IP packets of up to %d bytes arrived, longer ones could not be asked", o.packet(o.Arrived))
	}
	return when(true, report.Inconclusive, report.PathLossy,
		"IP packets of %d bytes were lost several times in a row, but chance, or a limit on the rate of bytes, is not "+
			"excluded; those of %d arrived; %s", o.packet(max(o.Missing, o.Beside)), o.packet(o.Arrived), blocks(o.Blocks))
}

// back says what is known of the way back.
func (o *PathSizes) back() string {
	switch b := o.Back; {
	case b.Missing:
		return ". On the way back some of the target's data never came though later data did: its longer segments may be " +
			"lost there"
	case !b.Sent:
		return ". The way back was not asked: the target sent no data"
	case b.Longest == 0:
		return ". On the way back data came, whose packets this host merged"
	}
	return fmt.Sprintf(". On the way back all data came, in IP packets of up to %d bytes", o.packet(o.Back.Longest))
}
