package lab

import (
	"time"

	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// zeroTraffic has the segments at 0 of all connections together, in one direction.
type zeroTraffic struct {
	seen   int
	passed []time.Time // of the last second
}

// loses reports whether an impairment drops a segment that arrives now for those that came before it.
func (z *zeroTraffic) loses(now time.Time, a fault.AtZero) bool {
	z.seen++
	if a.Every > 0 && z.seen%a.Every == 0 {
		return true
	}
	if a.Rate == 0 {
		return false
	}
	for len(z.passed) > 0 && now.Sub(z.passed[0]) >= time.Second {
		z.passed = z.passed[1:]
	}
	if len(z.passed) >= a.Rate {
		return true
	}
	z.passed = append(z.passed, now)
	return false
}
