package verdict

import (
	"fmt"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// Bounds of how much a message lists.
const (
	mostFits     = 3
	mostCommands = 2
)

// How people ask for further variants: on the command line, or in the resource of a probe pod.
const (
	scenarioFlag  = "--scenario SequenceWrap/"
	allByFlag     = "tcpprobe run … " + scenarioFlag + "all"
	variantsField = "scenarios[].sequenceWrap.variants"
)

// Explains reports whether the result has a loss that the rule is about.
func (f RuleFit) Explains(r report.Result) bool {
	return r.Verdict == report.Fail && (r.Reason == report.SequenceZeroDropped || r.Reason == report.AckZeroDropped)
}

// Explain adds the rule, and the devices that are known to have it, to a message. If several rules are left it adds
// these and what would tell them apart. For a resource that comes first, because its messages are cut.
func (f RuleFit) Explain(message string, fromResource bool) string {
	switch {
	case f.Rule != nil && f.NumbersOpen:
		message += "; the rule " + f.Rule.Name + " fits, or one about more numbers than 0: ask again"
	case f.Rule != nil:
		message += "; the rule is " + f.Rule.Name
		if known := f.Rule.KnownFrom(); known != "" {
			message += ", known from " + known
		}
	case len(f.Fits) > 0 && fromResource:
		message += f.whatTells(fromResource) + f.fits()
	case len(f.Fits) > 0:
		message += f.fits() + f.whatTells(fromResource)
	}
	return message
}

func (f RuleFit) fits() string {
	shown := strings.Join(f.Fits[:min(len(f.Fits), mostFits)], ", ")
	if more := len(f.Fits) - mostFits; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	numbers := ""
	if f.NumbersOpen {
		numbers = ", numbers"
	}
	return "; these fit: " + shown + ", or another by flags" + numbers + " or length"
}

func (f RuleFit) whatTells(fromResource bool) (text string) {
	if len(f.Ask) > 0 {
		text = "; ask also " + strings.Join(f.Ask, ", ") + ": " + f.how(fromResource)
	}
	if len(f.Open) > 0 {
		text += "; not decided, though it would tell: " + variant.List(f.Open)
	}
	if text == "" {
		return "; no variant tells which rule it is"
	}
	return text
}

func (f RuleFit) how(fromResource bool) string {
	switch {
	case fromResource:
		return variantsField
	case len(f.Ask) > mostCommands:
		return allByFlag
	}
	return "tcpprobe run … " + scenarioFlag + strings.Join(f.Ask, " "+scenarioFlag)
}
