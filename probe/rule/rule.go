// Package rule has the table of drop rules about the number 0. They are rules that real devices apply, or the simplest
// of their kind. Probes, command line and documentation use it.
package rule

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// Rule is an entry of the table.
type Rule struct {
	Name  string // name in a report
	Fault string // name of the lab's fault
	Drops string // what it drops, for messages
	Zero  variant.Zero
	// Flags reports whether the rule drops segments with these flags and sequence number 0. It is nil if the rule is about
	// another number.
	Flags func(variant.Flags) bool

	Devices string // devices with this rule; empty if none is known
	Cure    string // the command that shows or disables the rule on these devices
}

// All returns the rules in the order of the documentation.
func All() []Rule { return slices.Clone(table) }

// Named returns the rule of that name.
func Named(name string) (Rule, bool) {
	i := slices.IndexFunc(table, func(r Rule) bool { return r.Name == name })
	if i < 0 {
		return Rule{}, false
	}
	return table[i], true
}

// About returns the rule that drops segments with this number 0, whatever their flags.
func About(zero variant.Zero) Rule {
	return table[slices.IndexFunc(table, func(r Rule) bool { return r.Zero == zero && r.Flags == nil })]
}

// KnownFrom returns the devices with the rule of that name, and the command that shows or disables it. It is empty if
// no device is known.
func KnownFrom(name string) string {
	r, _ := Named(name)
	return r.KnownFrom()
}

// KnownFrom returns the devices with this rule, and the command that shows or disables it. It is empty if no device is
// known.
func (r Rule) KnownFrom() string {
	if r.Devices == "" {
		return ""
	}
	return r.Devices + ": " + r.Cure
}

// anyOf returns a condition that holds if at least one of these flags is set.
func anyOf(these variant.Flags) func(variant.Flags) bool {
	return func(f variant.Flags) bool { return f&these != 0 }
}

// allOf returns a condition that holds if all of these flags are set.
func allOf(these variant.Flags) func(variant.Flags) bool {
	return func(f variant.Flags) bool { return f&these == these }
}

// exactly returns a condition that holds if these flags and no others are set.
func exactly(these variant.Flags) func(variant.Flags) bool {
	return func(f variant.Flags) bool { return f == these }
}

// either returns a condition that holds if a or b does.
func either(a, b func(variant.Flags) bool) func(variant.Flags) bool {
	return func(f variant.Flags) bool { return a(f) || b(f) }
}
