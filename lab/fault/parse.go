package fault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// longest is the largest duration in a fault. Longer ones are of no use for tests of TCP.
const longest = 10 * time.Second

// maxMembers is more members than any real switch has.
const maxMembers = 1024

// parameters has the faults with a parameter, each with the function that reads the text after the equals sign.
func parameters() map[string]func(*Fault, string) error {
	m := map[string]func(*Fault, string) error{
		"loss": readLoss, "burst": readBurst, "ecmp": readECMP, "spray": readSpray,
		"delay": readDelay, "reorder": readReorder, "duplicate": readDuplicate,
		"delay-at-zero": readHold, "every-at-zero": readEvery, "options-at-zero": readStamped, "wrap": readWrap,
		"short-at-zero": readZero(func(a *AtZero, n int) { a.Shorter = n }),
		"long-at-zero":  readZero(func(a *AtZero, n int) { a.Longer = n }),
		"first-at-zero": readZero(func(a *AtZero, n int) { a.First = n }),
		"after-at-zero": readZero(func(a *AtZero, n int) { a.After = n }),
		"rate-at-zero":  readZero(func(a *AtZero, n int) { a.Rate = n }),
		"reset-at-zero": readReset, "in-flight-at-zero": readInFlight,
	}
	for _, k := range catalogue {
		if name, ok := k.anyNumberName(); ok {
			m[name] = func(f *Fault, v string) error { return readNumber(f, k.rule, v) }
		}
		if multiples, upTo, ok := k.alikeNames(); ok {
			m[multiples] = func(f *Fault, v string) error { return readMultiples(f, k.rule, v) }
			m[upTo] = func(f *Fault, v string) error { return readUpTo(f, k.rule, v) }
		}
	}
	return m
}

// Faults of devices that look at what is acknowledged.
const (
	dropOld      = "drop-old"
	dropInFlight = "drop-in-flight"
)

// Parse parses a fault: NAME or NAME=PARAMETER, either of them optionally with @in or @out; see Help.
func Parse(text string) (Fault, error) {
	f := Fault{Direction: Both}
	body, direction, directed := strings.Cut(text, "@")
	if directed {
		f.Direction = Direction(direction)
		if f.Direction != In && f.Direction != Out {
			return Fault{}, fmt.Errorf("fault %q: after @ comes in or out", text)
		}
	}
	if err := f.read(body); err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	f.Name = text
	return f, nil
}

// read sets the fault's effect from its text without a direction.
func (f *Fault) read(text string) error {
	name, value, valued := strings.Cut(text, "=")
	if r, ok := rules[name]; ok && !valued {
		f.Rule = &r
		return nil
	}
	if name == damage && !valued {
		f.Impairment = &Impairment{AtZero: AtZero{Damages: true}}
		return nil
	}
	if name == dropOld && !valued {
		if f.Direction != Both {
			return errors.New("it looks at both directions; leave @ away")
		}
		f.Impairment = &Impairment{DropsOld: true}
		return nil
	}
	if name == dropInFlight && !valued {
		f.Impairment = &Impairment{DropsInFlight: true}
		return nil
	}
	read, ok := parameters()[name]
	if !ok || !valued {
		return fmt.Errorf("is not one of %s", strings.Join(names(), ", "))
	}
	return read(f, value)
}

// ParseAll parses several faults and returns all errors.
func ParseAll(texts []string) ([]Fault, error) {
	var faults []Fault
	var errs []error
	for _, t := range texts {
		f, err := Parse(t)
		faults, errs = append(faults, f), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return faults, nil
}

func names() []string {
	out := slices.Sorted(maps.Keys(rules))
	return append(out, dropOld, dropInFlight, "push-at=N", "push-at-multiples=N", "push-up-to=N", "loss=P%",
		"burst=P%/TIME", "ecmp=MEMBERS/BAD[/SEED]:FAULT", "spray=MEMBERS/BAD:FAULT",
		"delay=TIME[/JITTER]", "reorder=P%[/TIME]", "duplicate=P%",
		"delay-at-zero=TIME", "short-at-zero=BYTES", "long-at-zero=BYTES", "first-at-zero=N",
		"after-at-zero=N", "every-at-zero=N", "rate-at-zero=N", "options-at-zero=with|without", damage, "wrap=KIND",
		"reset-at-zero=HOPLIMIT", "in-flight-at-zero=drop|reset|TIME")
}

// readNumber makes a rule about 0 a rule about another number.
func readNumber(f *Fault, r Rule, v string) error {
	n, err := readSequence(v)
	r.Number = n
	f.Rule = &r
	return err
}

func readSequence(v string) (uint32, error) {
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("want a sequence number from 0 to 4294967295, not %q", v)
	}
	return uint32(n), nil
}

func readLoss(f *Fault, v string) error {
	share, err := readShare(v)
	f.Rule = &Rule{Share: share}
	return err
}

func readBurst(f *Fault, v string) error {
	share, mean, ok := strings.Cut(v, "/")
	if !ok {
		return errors.New("want the share of time and the mean length of a burst, as in 5%/50ms")
	}
	s, err := readShare(share)
	if err != nil {
		return err
	}
	if s == 1 {
		return errors.New("a burst that takes 100 % of the time never ends; use everything")
	}
	d, err := readTime(mean)
	f.Rule = &Rule{Share: s, Burst: d}
	return err
}

func readECMP(f *Fault, v string) error { return readMembers(f, v, false) }

func readSpray(f *Fault, v string) error { return readMembers(f, v, true) }

// readMembers reads the number of members, how many of them are bad, for a choice by flow the seed of the hash, and
// what the bad ones drop.
func readMembers(f *Fault, v string, spray bool) error {
	numbers, inner, ok := strings.Cut(v, ":")
	parts := strings.Split(numbers, "/")
	if !ok || len(parts) < 2 || len(parts) > 3 || spray && len(parts) == 3 {
		return errors.New("want members, bad ones and what they drop, as in ecmp=16/1:push-at-zero, " +
			"ecmp=16/1/SEED:push-at-zero or spray=16/1:push-at-zero")
	}
	var n [3]uint64
	for i, p := range parts {
		var err error
		if n[i], err = strconv.ParseUint(p, 10, 32); err != nil {
			return fmt.Errorf("want a number, not %q", p)
		}
	}
	if n[0] < 2 || n[0] > maxMembers || n[1] < 1 || n[1] > n[0] {
		return fmt.Errorf("want 2 to %d members, and 1 or more of them bad", maxMembers)
	}
	if err := f.read(inner); err != nil {
		return err
	}
	if f.Rule == nil || f.Rule.Members.Count != 0 {
		return fmt.Errorf("a member can only drop, which %s does not say", inner)
	}
	f.Rule.Members = Members{Count: int(n[0]), Bad: int(n[1]), Spray: spray, Seed: uint32(n[2])}
	return nil
}

func readDelay(f *Fault, v string) error {
	delay, jitter, jittered := strings.Cut(v, "/")
	i := &Impairment{}
	f.Impairment = i
	var err error
	if i.Delay, err = readTime(delay); err != nil || !jittered {
		return err
	}
	i.Jitter, err = readTime(jitter)
	return err
}

func readReorder(f *Fault, v string) error {
	share, gap, given := strings.Cut(v, "/")
	i := &Impairment{Gap: 2 * time.Millisecond}
	f.Impairment = i
	var err error
	if i.Reorder, err = readShare(share); err != nil || !given {
		return err
	}
	i.Gap, err = readTime(gap)
	return err
}

func readDuplicate(f *Fault, v string) error {
	share, err := readShare(v)
	f.Impairment = &Impairment{Duplicate: share}
	return err
}

func readHold(f *Fault, v string) error {
	hold, err := readTime(v)
	f.Impairment = &Impairment{AtZero: AtZero{Hold: hold}}
	return err
}

func readReset(f *Fault, v string) error {
	n, err := readCount(v)
	if err == nil && n > 255 {
		err = fmt.Errorf("want a hop limit from 1 to 255, not %q", v)
	}
	f.Impairment = &Impairment{AtZero: AtZero{Reset: uint8(n)}}
	return err
}

func readCount(v string) (int, error) {
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("want a number from 1 to 65535, not %q", v)
	}
	return int(n), nil
}

// readShare reads a percentage. Its lower bound keeps the computed time between two bursts from overflowing.
func readShare(v string) (float64, error) {
	number, ok := strings.CutSuffix(v, "%")
	p, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(p >= 0.001 && p <= 100) {
		return 0, fmt.Errorf("want a percentage from 0.001 to 100, as in 5%%, not %q", v)
	}
	return p / 100, nil
}

func readTime(v string) (time.Duration, error) {
	d, err := time.ParseDuration(v)
	if err != nil || d < time.Microsecond || d > longest {
		return 0, fmt.Errorf("want a time between 1us and %s, as in 20ms, not %q", longest, v)
	}
	return d, nil
}
