package kernelconn

import (
	"fmt"
	"strconv"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Size is how much a connection sends from the number 0 on, or across it: so many bytes, or so many full segments.
type Size struct {
	Bytes, Segments int
	Order           Order
}

// Order says whether what is before the number 0 is acknowledged first, and where the segment begins that carries the
// byte of 0.
type Order int

// Orders.
const (
	Waiting  Order = iota // it is acknowledged first, and a segment begins at 0
	InFlight              // it is in flight, and a segment begins at 0
	Across                // it is not waited for, and a segment begins before 0 and ends after it
)

// across is how far before 0 the segment begins that spans it: less than any MSS.
const across = 100

// lead is how much of what is sent comes before 0.
func (s Size) lead() int {
	if s.Order == Across {
		return across
	}
	return 0
}

func (s Size) String() string {
	switch {
	case s.Order == InFlight:
		return report.SizeInFlight
	case s.Order == Across:
		return report.SizeAcross
	case s.Segments == 0:
		return strconv.Itoa(s.Bytes)
	case s.Segments == 1:
		return "MSS"
	}
	return fmt.Sprintf("%d*MSS", s.Segments)
}

// several is how many full segments are sent together, waiting or in flight.
const several = 3

// Sizes are those that are asked about. What is in flight is as long as the longest that waits, so that only the order
// tells them apart.
func Sizes() []Size {
	return []Size{{Bytes: 1}, {Bytes: 3}, {Bytes: 100}, {Segments: 1}, {Segments: several},
		{Segments: several, Order: InFlight}, {Segments: several, Order: Across}}
}

// Waits is the size of which connections differ from these in nothing but the order.
func (s Size) Waits() Size {
	s.Order = Waiting
	return s
}
