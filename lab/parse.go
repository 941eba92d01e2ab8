package lab

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// longest bounds every duration of a fault: beyond it nothing is learnt about TCP.
const longest = 10 * time.Second

// parameters are the faults with a parameter, each with the reader of what follows the equals sign.
var parameters = map[string]func(*Fault, string) error{
	"loss":      readLoss,
	"burst":     readBurst,
	"delay":     readDelay,
	"reorder":   readReorder,
	"duplicate": readDuplicate,
}

// ParseFault reads a fault as people write it: NAME, NAME=PARAMETER, and either with @in or @out; see Help.
func ParseFault(text string) (Fault, error) {
	f := Fault{Name: text, Direction: Both}
	body, direction, directed := strings.Cut(text, "@")
	if directed {
		f.Direction = Direction(direction)
		if f.Direction != In && f.Direction != Out {
			return Fault{}, fmt.Errorf("fault %q: after @ comes in or out", text)
		}
	}
	name, value, valued := strings.Cut(body, "=")
	if r, ok := rules[name]; ok && !valued {
		f.Rule = &r
		return f, nil
	}
	read, ok := parameters[name]
	if !ok || !valued {
		return Fault{}, fmt.Errorf("fault %q is not one of %s", text, strings.Join(names(), ", "))
	}
	if err := read(&f, value); err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	return f, nil
}

// ParseFaults reads several faults and reports every mistake.
func ParseFaults(texts []string) ([]Fault, error) {
	var faults []Fault
	var errs []error
	for _, t := range texts {
		f, err := ParseFault(t)
		faults, errs = append(faults, f), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return faults, nil
}

func names() []string {
	out := slices.Sorted(maps.Keys(rules))
	return append(out, "loss=P%", "burst=P%/TIME", "delay=TIME[/JITTER]", "reorder=P%[/TIME]", "duplicate=P%")
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

// readShare reads a percentage. The lower bound keeps the time between two bursts far from overflow.
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
