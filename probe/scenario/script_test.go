package scenario_test

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// script decides everything about one flow: its bytes first, and then random numbers that depend on them. So one that
// fails repeats, and a fuzzer can change it byte by byte.
type script struct {
	mu     sync.Mutex
	bytes  []byte
	random *rand.Rand
}

func newScript(text []byte) *script {
	h := fnv.New64a()
	_, _ = h.Write(text)
	return &script{bytes: text, random: rand.New(rand.NewPCG(h.Sum64(), 1))}
}

// upTo is a number from 0 to n-1; n is at most 256.
func (s *script) upTo(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bytes) == 0 {
		return s.random.IntN(n)
	}
	b := s.bytes[0]
	s.bytes = s.bytes[1:]
	return int(b) % n
}

// oneIn is true once in n times.
func (s *script) oneIn(n int) bool { return s.upTo(n) == 0 }

// word is any number of 32 bits.
func (s *script) word() uint32 {
	var w uint32
	for range 4 {
		w = w<<8 | uint32(s.upTo(256))
	}
	return w
}

// share is a share of at most most.
func (s *script) share(most float64) float64 { return most * float64(s.upTo(256)) / 255 }

// upToTime is a time below most.
func (s *script) upToTime(most time.Duration) time.Duration {
	return most * time.Duration(s.upTo(256)) / 256
}
