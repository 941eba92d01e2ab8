package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

type idleRule func(*Idling) (Finding, bool)

var idleRules = []idleRule{idleUnopened, idleUnanswered, idleControlLost, idleAgeEnds, idleMixed, idleReset,
	idleDropped, idlePeerClosed, idleKeptAlive, idleHeld, idleLossy}

// IdleTimeout returns the finding for a flow of the scenario IdleTimeout.
func IdleTimeout(o *Idling) Finding {
	for _, r := range append(slices.Clip(firstRules), resetOnAccept) {
		if f, ok := r(&o.Observation); ok {
			return f
		}
	}
	return o.byFates()
}

// byFates is the finding that the connections' fates make.
func (o *Idling) byFates() Finding {
	for _, r := range idleRules {
		if f, ok := r(o); ok {
			return f
		}
	}
	panic("verdict: the last rule of a chain must always decide")
}

// Decided reports whether the connections' fates make a finding that holds although the run ended meanwhile.
func (o *Idling) Decided() bool {
	f := o.byFates()
	return f.Verdict != report.Inconclusive || f.Reason == report.PeerClosed
}

func idleUnopened(o *Idling) (Finding, bool) {
	if o.Opening.Answer != conn.SynAck {
		return when(true, report.Inconclusive, report.PathDown,
			"no connection could be opened (%s), so nothing is known about idle ones; see Handshake", o.Opening.Answer)
	}
	if o.AtOnce {
		return when(true, report.Inconclusive, report.PeerClosed,
			"the target closes connections at once, so there is no silence to ask about")
	}
	return when(o.Opened < LeastIdle, report.Inconclusive, report.PathDown,
		"%d connections were established beside the first one, and %d are needed: the target takes few at a time, and "+
			"closes or resets others; see Handshake", o.Opened, LeastIdle)
}

func idleUnanswered(o *Idling) (Finding, bool) {
	return when(o.Unanswered, report.Inconclusive, report.NoProofOfLife,
		"the connection was established, and keep-alives (one old byte) are not answered even before any silence, so idle "+
			"connections cannot be asked: something on the way drops old data")
}

func idleControlLost(o *Idling) (Finding, bool) {
	return when(o.ControlLost, report.Inconclusive, report.PathDown,
		"a connection that was not idle answers no more either, so this is no matter of silence; idle ones were held for "+
			"%s; see Handshake", seconds(o.held()))
}

// idleAgeEnds is for a connection that was not idle and was ended as the others: what counts is not silence.
func idleAgeEnds(o *Idling) (Finding, bool) {
	c := o.Control
	if c.Fate != EndedByFIN && c.Fate != EndedByRST {
		return Finding{}, false
	}
	sender := ""
	if c.Reset != nil {
		sender = "; " + Sender([]*conn.ReceivedReset{c.Reset})
	}
	unheard := ""
	if n := len(o.with(Silent, NotAsked)); n > 0 {
		unheard = fmt.Sprintf(" On %d of the idle ones nothing of that came.", n)
	}
	return when(true, report.Inconclusive, report.PeerClosed,
		"connections are ended by %s %s after they were opened, and so is one that was not idle%s: the application, or a "+
			"proxy in front of it, waits no longer for a request.%s Idle ones were held for %s; what the path does after "+
			"more silence this target does not show", c.Fate.by(), seconds(c.Idle), sender, unheard, seconds(o.held()))
}

// idleMixed is for connections of which some survived what others did not.
func idleMixed(o *Idling) (Finding, bool) {
	lost := o.lost()
	if len(lost) == 0 || o.convicted() {
		return Finding{}, false
	}
	why := "so silence alone does not decide: paths, or devices beside each other, may differ"
	switch {
	case !o.Isolated:
		why = "and no fresh connection was established then: this is not shown to be a matter of silence"
	case o.deadPath():
		why = "and no SYN on their ports is answered either: their path may have ended, whatever the silence"
	case o.held() < shortest(lost):
		why = "which is too few to blame silence"
	}
	return when(true, report.Inconclusive, report.NotIsolated,
		"%d of %d connections did not survive %s of silence, others were held for up to %s, %s", len(lost),
		len(o.Connections), seconds(shortest(lost)), seconds(o.held()), why)
}

// besides is what lives when idle connections do not.
const besides = "while one as old that was not idle is answered, and a fresh one was established"

func idleReset(o *Idling) (Finding, bool) {
	lost := o.lost()
	if !o.convicted() {
		return Finding{}, false
	}
	soonest := first(lost)
	switch soonest.Fate {
	case Silent:
		return Finding{}, false
	case ResetOnAsking:
		return when(true, report.Fail, report.IdleReset,
			"connections hold %s of silence, and after %s, without a FIN or RST before, the next segment draws an RST (%d of "+
				"%d), %s. %s. The target, or something on the way, does not know the connection any more", seconds(o.held()),
			seconds(soonest.Idle), len(lost), len(o.Connections), besides, capital(sender(lost)))
	}
	if longest(lost) > time.Duration(float64(soonest.Idle)*alikeShare)+alikeMore || len(o.with(NotAsked)) > 0 {
		return Finding{}, false // idlePeerClosed
	}
	return when(true, report.Fail, report.IdleReset,
		"%d idle connections were ended by %s after %s of silence, %s. %s: something on the way ends what is idle",
		len(lost), soonest.Fate.by(), seconds(soonest.Idle), besides, capital(sender(lost)))
}

func idleDropped(o *Idling) (Finding, bool) {
	silent := o.with(Silent)
	if len(silent) == 0 || !o.convicted() || !o.LossConfirmed() {
		return Finding{}, false
	}
	b := o.Blocks[len(o.Blocks)-1]
	ports := fmt.Sprintf(". On %d of their ports a SYN was answered at once", o.Reopened)
	if o.Holding > 0 {
		ports += fmt.Sprintf(", on %d from the old connection, which the target has still", o.Holding)
	}
	return tested(when(true, report.Fail, report.IdleDropped,
		"connections hold %s of silence, and after %s what they send vanishes, without a FIN or RST: %d of %d segments on "+
			"%d connections were lost, and %d of %d on one that was not idle, in random order (p = %.1e), %s%s. Something on "+
			"the way has forgotten them", seconds(o.held()), seconds(shortest(silent)), b.Suspects, b.Suspects, len(silent),
		b.BeaconsLost, b.Beacons, b.P(), besides, ports))
}

func idlePeerClosed(o *Idling) (Finding, bool) {
	ended := o.with(EndedByFIN, EndedByRST)
	if len(ended) == 0 {
		return Finding{}, false
	}
	return when(true, report.Inconclusive, report.PeerClosed,
		"%d of %d idle connections were ended, the first by %s after %s of silence, the last after %s. It is not shown that "+
			"silence is the reason: an application that waits no longer for a request looks the same. %s; idle ones were held "+
			"for %s", len(ended), len(o.Connections), first(ended).Fate.by(), seconds(shortest(ended)), seconds(longest(ended)),
		capital(sender(ended)), seconds(o.held()))
}

// first is the connection that was lost after the shortest silence.
func first(all []IdleConnection) IdleConnection {
	return slices.MinFunc(all, func(a, b IdleConnection) int { return cmp.Compare(a.Idle, b.Idle) })
}

// survived reports whether each connection was held, the last one for as long as was to be asked.
func (o *Idling) survived() bool {
	return len(o.Connections) > 0 && len(o.with(Held)) == len(o.Connections)
}

func idleKeptAlive(o *Idling) (Finding, bool) {
	kept := slices.ContainsFunc(o.with(Held), func(c IdleConnection) bool { return c.KeptAlive })
	return when(o.survived() && kept, report.Pass, report.PeerKeepsAlive,
		"connections are held for %s in which this side sends nothing. The target does: no more than %s passed without a "+
			"segment, so what becomes of more silence is not known and does not matter to them", seconds(o.Most),
		seconds(o.held()))
}

func idleHeld(o *Idling) (Finding, bool) {
	return when(o.survived() && o.held() >= o.Most*9/10, report.Pass, report.IdleHeld,
		"connections hold %s without a segment in either direction (%d were asked, each after its own time); longer silence "+
			"was not tried", seconds(o.held()), len(o.Connections))
}

func idleLossy(o *Idling) (Finding, bool) {
	return when(true, report.Inconclusive, report.PathLossy,
		"idle connections were held for %s. One that was silent for longer did not answer at once, but chance is not "+
			"excluded, or it answered later; %s", seconds(o.held()), blocks(o.Blocks))
}
