package watch

import (
	"fmt"
	"time"
)

// Silence: after so many rounds and so long a time without any answer, other ports are asked, and again while it lasts.
const (
	silentRounds = 3
	silentTime   = 2 * time.Second
	freshEvery   = 5 * time.Second
)

// noteSilence counts rounds of which nothing came back.
func (p *Path) noteSilence(now time.Time) {
	if p.silence++; p.silence == 1 {
		p.silentAt = now
	}
	long := p.silence >= silentRounds && now.Sub(p.silentAt) >= silentTime
	if long && p.request == Nothing && !p.asking && now.Sub(p.freshAt) >= freshEvery {
		p.freshAt, p.request = now, Fresh
	}
}

// noteSilent notes that a variant got no answer, at 0 or elsewhere.
func (p *Path) noteSilent(now time.Time, q *question) {
	if p.silence >= silentRounds {
		return // it is not this variant
	}
	if q.silent++; q.silent == silentQuestion {
		p.tell(now, Event{Kind: NotAsked, Variants: []string{q.Name}, Message: fmt.Sprintf(
			"%s gets no answer, at 0 or elsewhere, while others do: this is no matter of the number 0; ask `tcpprobe run`",
			q.Suspect)})
	}
}

// noteAnswered notes that the path carries something.
func (p *Path) noteAnswered(now time.Time) {
	before := p.state
	p.reached = now
	if p.failed() {
		p.state = Failing
	} else {
		p.state = Healthy
	}
	switch before {
	case Unknown:
		p.tell(now, Event{Kind: Begins, Message: fmt.Sprintf("the first pair was answered, round trip %s", p.rtt)})
	case Down, Unasked:
		p.tell(now, Event{Kind: Back, Message: "pairs are answered again"})
	}
}

// FreshPorts says how many connections from other ports came about, when the path's own one was silent, and how many
// were refused.
func (p *Path) FreshPorts(now time.Time, stand, refused int) {
	p.asking = false
	switch {
	case p.silence == 0 || !p.standing:
		return // it was answered meanwhile
	case stand == 0 && refused == 0:
		p.fall(now, "nothing comes back, and no connection from two other ports comes about")
		return
	case stand == 0:
		p.fall(now, "nothing comes back, and connections from two other ports are refused")
	case p.state == Down: // the path is back, and maybe not this connection
	case p.ever:
		p.count.DeadFlows++
		p.tell(now, Event{Kind: FlowDead, Message: "this connection gets no answer any more, but others come about: one " +
			"member of a bundle, or state on the way, may be gone; ask `tcpprobe run … --scenario Handshake --paths 64`"})
	default:
		p.tellOnce(now, Unasked, Event{Kind: NotAsked, Message: "connections come about, but old bytes get no answer, at 0 " +
			"or elsewhere: a device on the way drops what was acknowledged already; ask `tcpprobe run`"})
		p.openAt = now.Add(time.Minute)
	}
	p.request = Close
}

// Unopened says that no connection came about: it was refused, or no port got an answer.
func (p *Path) Unopened(now time.Time, refused bool, how string) {
	p.request, p.openAt, p.claim = Open, now.Add(p.jittered(reopenEvery)), nil
	if refused {
		p.fall(now, "the target refuses connections")
		return
	}
	p.fall(now, "no connection comes about: "+how)
}

// Broken says that the connection cannot go on for a reason of this host.
func (p *Path) Broken(now time.Time, why error) {
	p.standing, p.open, p.block, p.claim = false, nil, nil, nil
	p.request, p.openAt = Close, now.Add(p.jittered(reopenEvery))
	p.fall(now, why.Error())
}

// Interferes says that this host's kernel saw segments of the connection, or answered them.
func (p *Path) Interferes(now time.Time, check string) {
	p.void()
	if !p.interfered {
		p.interfered = true
		p.tell(now, Event{Kind: Interferes, Message: "the guard is incomplete, so nothing is found here: " + check})
	}
}

// reopenEvery is how often a connection is tried.
const reopenEvery = 2 * time.Second

// fall notes that the path carries nothing. That is no finding: nothing tells it from a target that is gone.
func (p *Path) fall(now time.Time, why string) {
	p.tellOnce(now, Down, Event{Kind: PathDown, Message: why})
}

// tellOnce tells of a change of the state.
func (p *Path) tellOnce(now time.Time, s State, e Event) {
	if p.state != s {
		p.state = s
		p.tell(now, e)
	}
}

// mostShortLived is how many connections in a row the peer may end soon before none is held any more.
const mostShortLived = 3

// EndedByPeer says that the peer closed or reset the connection. That is no finding: applications do, and hosts that
// start again.
func (p *Path) EndedByPeer(now time.Time) {
	p.count.EndedByPeer++
	p.standing, p.open, p.block, p.claim = false, nil, nil, nil
	p.request, p.openAt = Close, now.Add(p.jittered(reopenEvery))
	if p.Touching() {
		p.openAt = now.Add(p.jittered(touchEvery))
	}
	if now.Sub(p.opened) > shortLife {
		p.shortLived = 0
		return
	}
	if p.shortLived++; p.shortLived < mostShortLived {
		return
	}
	if p.Touching() && !p.ever {
		p.tellOnce(now, Unasked, Event{Kind: NotAsked, Message: "the peer ends each connection before it answers; ask " +
			"`tcpprobe run`"})
	}
	p.touch(now, "the peer ends its connections within seconds")
}

// Spoke says that the peer's application sent data.
func (p *Path) Spoke(now time.Time) {
	p.spoke = true
	if p.settings.Hold {
		p.touch(now, "the peer speaks first")
	}
}

// touch lets connections last for a moment only, from now on.
func (p *Path) touch(now time.Time, why string) {
	if p.Touching() {
		return
	}
	p.fallback = true
	p.tell(now, Event{Kind: Touches, Message: why + ": its connections are not held, but opened for a moment every " +
		touchEvery.String()})
}

const needsConsent = "the peer speaks first, and many such servers lock out hosts that leave without an answer: it " +
	"is not asked again; with the consent of its owner give --hold"
