package watch

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// tick is how often a path is asked what to send.
const tick = 20 * time.Millisecond

// simulation is a path with a network and a peer, in virtual time.
type simulation struct {
	path    *Path
	chance  *rand.Rand
	started time.Time
	now     time.Time
	events  []Event

	lose    func(now time.Time, a *Ask) bool          // nil: nothing is lost
	delay   func(now time.Time, a *Ask) time.Duration // of an answer; nil: 200 µs
	stands  func(now time.Time) bool                  // whether connections come about; nil: they do
	unnamed bool                                      // the peer names no duplicates
	misses  func(now time.Time) bool                  // this host is late; nil: it is not

	step time.Duration // from one turn to the next

	answers []answer
	asks    int
	opened  []time.Time
}

type answer struct {
	at    time.Time
	block segment.SACKBlock
}

func newSimulation(s Settings, seed uint64) *simulation {
	chance := rand.New(rand.NewPCG(seed, 1))
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	path := NewPath(s, rand.New(rand.NewPCG(seed, 2)))
	return &simulation{path: path, chance: chance, started: began, now: began, step: tick}
}

// held and touched are the usual settings.
func held() Settings {
	return Settings{Paths: 1, Heartbeat: time.Second, Variants: Variants, Hold: true, ClearAfter: time.Minute}
}

func touched() Settings {
	s := held()
	s.Hold = false
	return s
}

// run goes on until so long after the start.
func (s *simulation) run(until time.Duration) {
	for ; s.now.Sub(s.started) < until; s.now = s.now.Add(s.step) {
		s.deliver()
		if s.misses != nil && s.misses(s.now) {
			s.path.Late()
		}
		for _, a := range s.path.Next(s.now) {
			s.send(a)
		}
		s.serve()
		s.events = append(s.events, s.path.Events()...)
	}
}

func (s *simulation) send(a *Ask) {
	s.asks++
	if s.lose != nil && s.lose(s.now, a) {
		return
	}
	d := 200 * time.Microsecond
	if s.delay != nil {
		d = s.delay(s.now, a)
	}
	s.answers = append(s.answers, answer{s.now.Add(d), a.named()})
}

func (s *simulation) deliver() {
	if len(s.answers) == 0 {
		return
	}
	slices.SortStableFunc(s.answers, func(a, b answer) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	n := 0
	for ; n < len(s.answers) && !s.answers[n].at.After(s.now); n++ {
		s.path.Answered(s.answers[n].at, s.answers[n].block, !s.unnamed)
	}
	s.answers = slices.Delete(s.answers, 0, n)
}

// serve does what the path wants.
func (s *simulation) serve() {
	p, up := s.path, s.stands == nil || s.stands(s.now)
	switch w := p.Request(s.now); w {
	case Open, SamePort:
		p.Awaited()
		s.answers = nil
		if !up {
			p.Unopened(s.now, false, "no answer")
			return
		}
		s.opened = append(s.opened, s.now)
		p.Opened(s.now, p.ISS(), 200*time.Microsecond, true)
	case Fresh:
		p.Awaited()
		n := 0
		if up {
			n = 2
		}
		p.FreshPorts(s.now, n, 0)
	case Close:
		p.Awaited()
		p.Closed(true, false)
	}
}

// kinds lists the events.
func (s *simulation) kinds() (kinds []Kind) {
	for _, e := range s.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// first is the time of the first event of a kind, since the start; negative if there is none.
func (s *simulation) first(k Kind) time.Duration {
	for _, e := range s.events {
		if e.Kind == k {
			return e.Time.Sub(s.started)
		}
	}
	return -1
}

// pushAtZero loses suspects with PSH from one time to another.
func (s *simulation) pushAtZero(from, to time.Duration) func(time.Time, *Ask) bool {
	return func(now time.Time, a *Ask) bool {
		at := now.Sub(s.started)
		return a.Suspect && a.Variant.Flags&variant.PSH != 0 && at >= from && at < to
	}
}

// randomly loses segments, or their answers, with that probability.
func (s *simulation) randomly(share float64) func(time.Time, *Ask) bool {
	return func(time.Time, *Ask) bool { return s.chance.Float64() < share }
}

// inBursts loses everything for a share of the time, in bursts of such a mean length (Gilbert and Elliott).
func (s *simulation) inBursts(share float64, mean time.Duration) func(time.Time, *Ask) bool {
	turn, lost := s.started, true
	return func(now time.Time, _ *Ask) bool {
		for !turn.After(now) {
			lost = !lost
			length := float64(mean)
			if !lost {
				length *= (1 - share) / share
			}
			turn = turn.Add(time.Duration(s.chance.ExpFloat64() * length))
		}
		return lost
	}
}

// jitter delays answers by up to so much.
func (s *simulation) jitter(most time.Duration) func(time.Time, *Ask) time.Duration {
	return func(time.Time, *Ask) time.Duration { return time.Duration(s.chance.Int64N(int64(most))) }
}

// both loses what either loses.
func both(a, b func(time.Time, *Ask) bool) func(time.Time, *Ask) bool {
	return func(now time.Time, ask *Ask) bool { return a(now, ask) || b(now, ask) }
}
