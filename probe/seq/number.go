// Package seq implements TCP's sequence number arithmetic, which wraps (RFC 9293 section 3.4). It is a type of its own
// so that sequence numbers cannot be compared as plain integers.
package seq

import "strconv"

// Number is a sequence or acknowledgement number: an integer modulo 2^32.
type Number struct{ n uint32 }

// At returns the number n.
func At(n uint32) Number { return Number{n} }

// Uint32 returns the value in a TCP header.
func (a Number) Uint32() uint32 { return a.n }

// Add returns a+n modulo 2^32; n may be negative.
func (a Number) Add(n int) Number { return Number{a.n + uint32(n)} }

// Sub returns the distance from b to a, in -2^31 .. 2^31-1: positive if a is later than b.
func (a Number) Sub(b Number) int { return int(int32(a.n - b.n)) }

// After reports whether a is later than b.
func (a Number) After(b Number) bool { return a.Sub(b) > 0 }

// Before reports whether a is earlier than b.
func (a Number) Before(b Number) bool { return a.Sub(b) < 0 }

// AtLeast reports whether a is b or later.
func (a Number) AtLeast(b Number) bool { return a.Sub(b) >= 0 }

// In reports whether a lies in the window [start, start+size).
func (a Number) In(start Number, size int) bool {
	d := a.Sub(start)
	return d >= 0 && d < size
}

// IsZero reports whether the number is 0, which some devices drop.
func (a Number) IsZero() bool { return a.n == 0 }

func (a Number) String() string { return strconv.FormatUint(uint64(a.n), 10) }
