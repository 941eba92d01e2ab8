// Package truth holds what a run says of a network against what ordinary connections of the kernel suffer there. The
// connections are an oracle: they know neither the switch's fault nor the run.
package truth

import (
	"strings"

	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// Rule is what one device does: faults of the switch that act together.
type Rule struct {
	Name   string
	Faults []fault.Fault
}

// and stands between the faults of a rule.
const and = " + "

// devices are the rules of the matrix, by what decides: nothing, flags, direction, order and time, size, options,
// count, rate, chance, path, damage, resets, what is in flight, the wrap, proofs of life, and other numbers.
var devices = []string{
	"delay=1ms",
	"push-at-zero",
	"fin-at-zero",
	"ack-at-zero",
	"any-flags-at-zero",
	"all-at-zero@in",
	"fin-push-rst-at-zero",
	"fin-urg-push-at-zero@in",
	"straddling-zero",
	"push-at-zero@out",
	"ack-number-zero",
	"ack-number-zero@in",
	"delay-at-zero=20ms",
	"delay-at-zero=100ms",
	"delay-at-zero=200ms",
	"delay-at-zero=300ms",
	"delay-at-zero=1s",
	"delay-at-zero=3s@in",
	"short-at-zero=2",
	"short-at-zero=50",
	"long-at-zero=60",
	"long-at-zero=1000",
	"options-at-zero=with",
	"options-at-zero=without",
	"first-at-zero=1",
	"first-at-zero=2",
	"first-at-zero=3",
	"after-at-zero=1",
	"after-at-zero=2",
	"every-at-zero=2",
	"every-at-zero=3",
	"rate-at-zero=1",
	"rate-at-zero=10",
	"first-at-zero=1@out",
	"short-at-zero=50@out",
	"spray=2/1:push-at-zero",
	"spray=10/9:push-at-zero@in",
	"spray=10/1:push-at-zero@in",
	"ecmp=2/1:push-at-zero",
	"ecmp=4/1/3:push-at-zero@in",
	"damage-at-zero",
	"reset-at-zero=61",
	"in-flight-at-zero=drop + delay=2ms",
	"in-flight-at-zero=300ms + delay=2ms",
	"in-flight-at-zero=reset + delay=2ms",
	"in-flight-at-zero=drop@out + delay=2ms",
	"drop-in-flight + delay=2ms",
	"wrap=range/1000000000",
	"wrap=start",
	"wrap=bytes",
	"wrap=end",
	"wrap=window",
	"drop-old",
	"drop-old + push-at-zero",
	"push-at-zero + loss=5%",
	"first-at-zero=1 + loss=1%",
	"short-at-zero=50 + delay=20ms/5ms",
	"delay-at-zero=300ms + reorder=10%/2ms",
	"loss=1%",
	"loss=20%",
	"burst=5%/50ms",
	"reorder=10%/2ms",
	"duplicate=10%",
	"push-at=1",
	"push-at-multiples=65536@in",
	"push-at-multiples=256@in",
	"push-up-to=50@in",
	"all-up-to=999@in",
	"every-push@in",
	"every-fin",
	"every-rst@out",
	"everything",
}

// Rules returns the rules of the matrix.
func Rules() ([]Rule, error) { return Parse(devices) }

// Parse parses rules: each is a fault, or several with " + " between them.
func Parse(texts []string) (rules []Rule, err error) {
	for _, t := range texts {
		faults, err := fault.ParseAll(strings.Split(t, and))
		if err != nil {
			return nil, err
		}
		rules = append(rules, Rule{t, faults})
	}
	return rules, nil
}
