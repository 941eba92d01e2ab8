package report

import (
	"errors"
	"fmt"
	"slices"
)

// KernelConnections is what ordinary connections of the source's own kernel to one target came to: some whose numbers
// cross 0, and controls whose numbers do not.
type KernelConnections struct {
	Target       string        `json:"target"` // address:port
	Outcome      KernelOutcome `json:"outcome"`
	Message      string        `json:"message"`
	Alpha        float64       `json:"alpha"` // stated bound on a false Stalled or Died; 0: no test
	StallMillis  int64         `json:"stallMillis"`
	MSS          int           `json:"mss,omitempty"`
	Timestamps   bool          `json:"timestamps,omitempty"` // the connections' segments carry them
	SACK         bool          `json:"sack,omitempty"`       // both sides permit it
	SegmentsSent int           `json:"segmentsSent"`
	Sizes        []KernelSize  `json:"sizes,omitempty"`
}

// KernelOutcome says in one word what became of them.
type KernelOutcome string

// Outcomes.
const (
	KernelUnharmed  KernelOutcome = "Unharmed"  // those that cross 0 get through, but for few at most
	KernelStalled   KernelOutcome = "Stalled"   // their data at 0 had to be sent again, or was never acknowledged
	KernelDied      KernelOutcome = "Died"      // something ended them
	KernelUndecided KernelOutcome = "Undecided" // they fared worse than the others, and chance is not excluded
	KernelAlike     KernelOutcome = "Alike"     // they were harmed, and the others about as often: not a matter of 0
	KernelNotAsked  KernelOutcome = "NotAsked"  // there were none that tell anything
)

var kernelOutcomes = []KernelOutcome{KernelUnharmed, KernelStalled, KernelDied, KernelUndecided, KernelAlike,
	KernelNotAsked}

// KernelSize is what became of those of one size.
type KernelSize struct {
	Size     string      `json:"size"` // what is sent at 0: bytes, MSS, 3*MSS, or one that does not wait
	Crossing KernelCount `json:"crossing"`
	Control  KernelCount `json:"control"`
}

// Sizes of connections that do not wait for the acknowledgement of what is before 0. They send as much as SizeSeveral,
// which waits for that.
const (
	SizeSeveral  = "3*MSS"
	SizeInFlight = "in flight" // a segment begins at 0, and what is before it was not acknowledged when it had left
	SizeAcross   = "across 0"  // a segment begins before 0 and ends after it
)

// KernelCount counts connections by what became of them.
type KernelCount struct {
	Unharmed int   `json:"unharmed"`
	Stalled  int   `json:"stalled,omitempty"` // a segment was sent again
	Silent   int   `json:"silent,omitempty"`  // something was not acknowledged within 5 s
	Died     int   `json:"died,omitempty"`    // ended by an RST or an error
	Void     int   `json:"void,omitempty"`    // tells nothing: not established, or ended before it sent its data
	Micros   int64 `json:"micros,omitempty"`  // from the first byte of data to the last acknowledgement, in the middle
}

// Harmed are those that did not simply get through.
func (c KernelCount) Harmed() int { return c.Stalled + c.Silent + c.Died }

// Told are those that tell something.
func (c KernelCount) Told() int { return c.Unharmed + c.Harmed() }

// Plus adds two counts.
func (c KernelCount) Plus(d KernelCount) KernelCount {
	return KernelCount{c.Unharmed + d.Unharmed, c.Stalled + d.Stalled, c.Silent + d.Silent, c.Died + d.Died,
		c.Void + d.Void, max(c.Micros, d.Micros)}
}

// Counts adds up all sizes.
func (k KernelConnections) Counts() (crossing, control KernelCount) {
	for _, s := range k.Sizes {
		crossing, control = crossing.Plus(s.Crossing), control.Plus(s.Control)
	}
	return crossing, control
}

// line is for people: "kernel: 10 connections to 10.0.0.1:80, 5 cross 0: Unharmed; …".
func (k KernelConnections) line() string {
	crossing, control := k.Counts()
	return printable(fmt.Sprintf("kernel: %d connections to %s, %d of them cross 0: %s; %s",
		crossing.Told()+control.Told(), k.Target, crossing.Told(), k.Outcome, k.Message))
}

func (k KernelConnections) valid() error {
	switch {
	case !slices.Contains(kernelOutcomes, k.Outcome):
		return fmt.Errorf("outcome is %.40q", k.Outcome)
	case len(k.Sizes) > maxKernelSizes:
		return fmt.Errorf("%d sizes; at most %d", len(k.Sizes), maxKernelSizes)
	case len(k.Message) > maxKernelMessage:
		return errors.New("the message is too long")
	case !(k.Alpha >= 0 && k.Alpha <= 1) || k.StallMillis < 0 || k.SegmentsSent < 0:
		return errors.New("a number is out of bounds")
	}
	for _, s := range k.Sizes {
		for _, c := range []KernelCount{s.Crossing, s.Control} {
			if min(c.Unharmed, c.Stalled, c.Silent, c.Died, c.Void) < 0 || c.Told()+c.Void > maxKernelCount {
				return fmt.Errorf("size %.20q: a count is out of bounds", s.Size)
			}
		}
	}
	return nil
}
