package watch

import (
	"math/rand/v2"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// Path is one path to a target. It says what to send, is told what came back, and decides. Its connections come and go;
// what it knows of the path stays. It must be used by one goroutine only.
type Path struct {
	settings  Settings
	random    *rand.Rand
	questions []*question
	turn      int

	connection
	silentAt  time.Time // when silence began
	freshAt   time.Time // when fresh ports were asked for last
	asking    bool      // they are being asked
	wellSince time.Time // of the answered suspects in a row

	fallback    bool      // connections are not held although they may be
	interfered  bool      // it was told that this host's kernel interferes
	unconsented bool      // the owner's consent is needed, so nothing is asked any more
	reached     time.Time // when a pair was answered last
	state       State
	claim       *claim
	finding     *finding
	well        int // suspects of what failed that were answered in a row
	clearAfter  time.Duration
	cleared     time.Time
	controls    recent // lost or late ones
	voids       recent // void rounds
	rounds      int
	blocks      []time.Time
	quietUntil  time.Time
	backoff     time.Duration
	shortLived  int // connections in a row that the peer ended soon
	openAt      time.Time
	request     Request
	count       Count
	events      []Event
}

// Request is what a path needs of whoever holds its connections.
type Request int

// Requests.
const (
	Nothing  Request = iota
	Open             // a connection from another port, once it is due
	SamePort         // the end of this one, and another from the same port: it takes the same path
	Fresh            // to know whether connections from other ports come about
	Close            // the end of this one
)

// State is what is known of a path.
type State string

// States.
const (
	Unknown State = "unknown"
	Healthy State = "healthy"
	Failing State = "failing"
	Down    State = "down"    // no connection comes about
	Unasked State = "unasked" // it stands, but nothing can be asked
)

// NewPath returns a path about which nothing is known. Every path has a source of chance of its own.
func NewPath(s Settings, random *rand.Rand) *Path {
	p := &Path{settings: s, random: random, state: Unknown, request: Open, clearAfter: s.ClearAfter}
	for _, name := range s.Variants {
		v, _ := variant.Named(name)
		p.questions = append(p.questions, &question{Variant: v})
	}
	p.turn = random.IntN(len(p.questions)) // so that paths do not ask the same at the same time
	return p
}

// Touching reports whether connections last for a moment only.
func (p *Path) Touching() bool { return !p.settings.Hold || p.fallback }

// ISS returns a random initial number for a connection of a path.
func (p *Path) ISS() seq.Number {
	return seq.At(uint32(leastISS + p.random.IntN(mostISS-leastISS)))
}

// Opened says that a connection stands. named: the peer agreed to name what arrives twice.
func (p *Path) Opened(now time.Time, iss seq.Number, rtt time.Duration, named bool) {
	p.connection = connection{standing: true, opened: now, iss: iss, rtt: rtt, serial: !named, next: now,
		asked: map[segment.SACKBlock]*Ask{}}
	p.count.Connections++
	p.request = Nothing
	for _, q := range p.questions {
		q.acquit()
	}
	if p.serial {
		p.touch(now, namesNothing)
	}
	if c := p.claim; c != nil {
		c.question.firstLost = time.Time{} // what is late was waited for before
		p.startBlock(c.question, now, false)
	}
}

// Next returns what is to be sent now. It first judges what is over.
func (p *Path) Next(now time.Time) (asks []*Ask) {
	if !p.standing || p.request != Nothing && p.request != Fresh {
		return nil
	}
	p.judgeRounds(now)
	p.judgeBlock(now)
	if p.request != Nothing && p.request != Fresh {
		return nil
	}
	if p.block != nil {
		if a := p.nextOf(p.block, now); a != nil {
			return []*Ask{a}
		}
		return nil
	}
	p.suspect(now)
	if p.block == nil && p.pairIsDue(now) {
		p.startRound(now)
		p.pairs, p.next = p.pairs+1, now.Add(p.pause())
	}
	p.rest(now)
	return p.unsent(now)
}

// unsent returns what is still to be sent of the rounds: all, or of a peer that names nothing one at a time.
func (p *Path) unsent(now time.Time) (asks []*Ask) {
	for _, r := range p.open {
		for len(r.unsent) > 0 && (!p.serial || len(asks) == 0 && !p.awaits(now)) {
			asks = append(asks, p.remember(r.unsent[0], now))
			r.unsent = r.unsent[1:]
			r.judge = now.Add(max(p.onTime(), p.roundWait()))
		}
	}
	return asks
}

// awaits reports whether the answer to the last segment may still come on time.
func (p *Path) awaits(now time.Time) bool {
	a := p.last()
	return a != nil && !a.arrived() && now.Sub(a.sent) < p.onTime()
}

func (p *Path) last() *Ask {
	if len(p.latest) == 0 {
		return nil
	}
	return p.latest[len(p.latest)-1]
}

// Pairs of a connection that lasts for a moment.
const (
	touchPairs     = 3
	mostTouchPairs = 12 // if suspects are lost
)

// pairIsDue reports whether another pair is to begin.
func (p *Path) pairIsDue(now time.Time) bool {
	switch {
	case now.Before(p.next), p.serial && len(p.open) > 0:
		return false
	case !p.Touching(), p.pairs < touchPairs:
		return true
	}
	return len(p.open) == 0 && p.pairMayFollow()
}

// pairMayFollow reports whether a connection that lasts for a moment has not done its part.
func (p *Path) pairMayFollow() bool {
	return p.pairs < touchPairs || (p.pursued() != nil || p.silence > 0) && p.pairs < mostTouchPairs
}

// Times of connections.
const (
	touchEvery = 10 * time.Second // from one that lasts for a moment to the next
	portLife   = 10 * time.Minute // of one that is held, so that other paths are asked too
	shortLife  = 10 * time.Second // a peer that ends a connection sooner does not let it be held
)

// rest ends a connection that has done its part.
func (p *Path) rest(now time.Time) {
	idle := p.block == nil && len(p.open) == 0 && p.claim == nil && p.request == Nothing && !p.asking
	switch {
	case !idle:
	case p.Touching() && !p.pairMayFollow():
		p.request, p.openAt = Close, now.Add(p.jittered(touchEvery))
		if p.spoke && !p.settings.Hold {
			p.unconsented = true
			p.tell(now, Event{Kind: NeedsConsent, Message: needsConsent})
		}
	case !p.Touching() && p.pursued() == nil && p.state == Healthy && now.Sub(p.opened) > portLife:
		p.request, p.openAt = Close, now
	}
}

// Request is what the path needs now.
func (p *Path) Request(now time.Time) Request {
	if p.request == Open && (p.unconsented || now.Before(p.openAt)) {
		return Nothing
	}
	return p.request
}

// Awaited says that what the path requests is being done. Only other ports can be asked while its connection goes on.
func (p *Path) Awaited() {
	p.asking = p.request == Fresh
	p.standing = p.standing && p.asking
	p.request = Nothing
}

// Closed says that the connection was ended as the path requested, and whether the peer showed that it holds it no
// longer, or that it still does.
func (p *Path) Closed(confirmed, left bool) {
	p.noteEnd(confirmed, left)
	p.standing, p.request = false, Open
}

// Standing reports whether the path has a connection.
func (p *Path) Standing() bool { return p.standing }

// NeedsConsent reports whether nothing is asked any more without the consent of the target's owner.
func (p *Path) NeedsConsent() bool { return p.unconsented }

// Stop lets the path ask nothing any more, because another one to the same target needs consent.
func (p *Path) Stop() { p.unconsented = true }

// failed reports whether a finding stands.
func (p *Path) failed() bool { return p.finding != nil }

// State is what is known of the path.
func (p *Path) State() State { return p.state }

// Count is what became of all rounds so far.
func (p *Path) Count() Count { return p.count }

// finding is what a path fails by.
type finding struct {
	reason report.Reason
	since  time.Time
	said   bool // the rule was named
}

// claim is a conviction that a second connection has to confirm.
type claim struct {
	question *question
	reason   report.Reason
	p        float64
	tally    tally
}
