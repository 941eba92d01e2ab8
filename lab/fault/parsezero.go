package fault

import (
	"errors"
	"fmt"
	"time"
)

// damage is the fault without a parameter that does something else than to drop by a rule.
const damage = "damage-at-zero"

// readZero reads a number that is the effect on segments at 0.
func readZero(set func(*AtZero, int)) func(*Fault, string) error {
	return func(f *Fault, v string) error {
		n, err := readCount(v)
		f.Impairment = &Impairment{}
		set(&f.Impairment.AtZero, n)
		return err
	}
}

// readMultiples makes a rule about 0 one about all multiples of a number.
func readMultiples(f *Fault, r Rule, v string) error {
	n, err := readSequence(v)
	if err == nil && n < 2 {
		err = fmt.Errorf("want multiples of 2 or more, not of %d", n)
	}
	r.Place, r.Number = Multiples, max(n, 1)
	f.Rule = &r
	return err
}

// readUpTo makes a rule about 0 one about all numbers up to another.
func readUpTo(f *Fault, r Rule, v string) error {
	n, err := readSequence(v)
	r.Place, r.Number = UpTo, n
	f.Rule = &r
	return err
}

func readEvery(f *Fault, v string) error {
	n, err := readCount(v)
	if err == nil && n == 1 {
		return errors.New("every single one is what all-at-zero drops; want 2 or more")
	}
	f.Impairment = &Impairment{AtZero: AtZero{Every: n}}
	return err
}

func readStamped(f *Fault, v string) error {
	s := Stamped(v)
	if s != WithTimestamps && s != WithoutTimestamps {
		return fmt.Errorf("want %s or %s, not %q", WithTimestamps, WithoutTimestamps, v)
	}
	f.Impairment = &Impairment{AtZero: AtZero{Stamped: s}}
	return nil
}

// Effects of in-flight-at-zero that are not a time, and the hop limit of its RSTs.
const (
	dropping      = "drop"
	resetting     = "reset"
	resetHopLimit = 61
)

func readInFlight(f *Fault, v string) error {
	a := AtZero{InFlight: true}
	switch v {
	case dropping:
	case resetting:
		a.Reset = resetHopLimit
	default:
		d, err := time.ParseDuration(v)
		if err != nil || d < time.Microsecond || d > longest {
			return fmt.Errorf("want drop, reset, or a time between 1us and %s, not %q", longest, v)
		}
		a.Hold = d
	}
	f.Impairment = &Impairment{AtZero: a}
	return nil
}
