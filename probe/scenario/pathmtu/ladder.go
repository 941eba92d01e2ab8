package pathmtu

import (
	"context"
	"math/rand/v2"
	"slices"
)

// fate is what became of the segments of one length.
type fate int

// Fates of segments.
const (
	silent  fate = iota // no answer
	arrived             // acknowledged
	refused             // an ICMP error said that it was too big
)

// longestPacket is the longest IP packet that is asked: jumbo frames of most devices hold it.
const longestPacket = 9216

// shortest is the length of the first segment. Each path carries it.
const shortest = 64

// steps are lengths of IP packets: what each host takes with IPv4 and with IPv6, and what Ethernet carries.
var steps = []int{576, 1280, 1500}

// samples is how many lengths between are asked about where all those arrived.
const samples = 2

// climb asks about longer and longer segments.
func (s *sizes) climb(ctx context.Context) {
	for n, ok := s.nextStep(); ok && !s.over(ctx); n, ok = s.nextStep() {
		if len(s.fates) > 0 {
			s.ask(ctx, n, n, tries)
			continue
		}
		if s.ask(ctx, n, n, firstTries); s.fates[n] != arrived {
			return
		}
	}
}

// askOverlapping asks whether a segment arrives that begins with acknowledged bytes, of the longest length that did.
// Some devices drop those.
func (s *sizes) askOverlapping(ctx context.Context) {
	longest, _ := s.bounds()
	if longest <= 1 || s.over(ctx) {
		return
	}
	s.ask(ctx, longest, 1, tries)
	s.allNew = s.fates[longest] != arrived && !s.over(ctx)
	s.fates[longest] = arrived
}

// nextStep is the shortest length of the ladder that was not asked about yet.
func (s *sizes) nextStep() (n int, ok bool) {
	ladder := []int{min(shortest, s.most())}
	for _, packet := range steps {
		ladder = append(ladder, packet-s.headers)
	}
	ladder = append(ladder, s.most())
	slices.Sort(ladder)
	for _, n := range ladder {
		if _, asked := s.fates[n]; !asked && n <= s.most() {
			return n, true
		}
	}
	return 0, false
}

// sample asks about lengths at random, each from another part of what arrived.
func (s *sizes) sample(ctx context.Context) {
	least, most := min(shortest, s.most()), s.most()
	for i := range samples {
		part := (most - least) / samples
		if part > 1 && !s.over(ctx) {
			s.ask(ctx, least+i*part+1+rand.IntN(part-1), 1, tries)
		}
	}
}

// bounds returns the longest length that arrived, and the shortest beyond it that did not; 0 if there is none.
func (s *sizes) bounds() (low, high int) {
	for n, f := range s.fates {
		if f == arrived {
			low = max(low, n)
		}
	}
	for n, f := range s.fates {
		if f != arrived && n > low && (high == 0 || n < high) {
			high = n
		}
	}
	return low, high
}

// missingBetween returns the shortest length without an answer that is shorter than one that arrived; 0 if there is
// none.
func (s *sizes) missingBetween() (found int) {
	low, _ := s.bounds()
	for n, f := range s.fates {
		if f == silent && n < low && (found == 0 || n < found) {
			found = n
		}
	}
	return found
}

// sure is the longest length that arrived and is shorter than all without an answer; at least 1.
func (s *sizes) sure() int {
	found, missing := 1, 1<<16
	for n, f := range s.fates {
		if f != arrived {
			missing = min(missing, n)
		}
	}
	for n, f := range s.fates {
		if f == arrived && n < missing {
			found = max(found, n)
		}
	}
	return found
}

// narrow halves what lies between the longest that arrived and the shortest beyond that did not, until they touch. An
// MTU that an ICMP error names is asked about first.
func (s *sizes) narrow(ctx context.Context) {
	for low, high := s.bounds(); low > 0 && high > low+1 && !s.over(ctx); low, high = s.bounds() {
		named := s.named()
		_, asked := s.fates[named]
		switch {
		case named == low:
			return
		case named > low && !asked:
			s.ask(ctx, named, named, tries)
		default:
			s.ask(ctx, (low+high)/2, 1, triesBetween)
		}
	}
}

// suspicious reports whether some length has no answer, and no MTU that an ICMP error names explains it.
func (s *sizes) suspicious() bool {
	low, high := s.bounds()
	return low > 0 && s.named() != low && (high > 0 && s.fates[high] == silent || s.missingBetween() > 0)
}
