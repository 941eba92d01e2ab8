// Package rule is the table of the rules about the number 0 that devices have been seen to apply, or that are the
// simplest of their kind. Engine, command line and documents take from it what they know of a rule.
package rule

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// Rule is one of them.
type Rule struct {
	Name  string // as in a report
	Fault string // as the lab's switch knows it
	Drops string // what is dropped
	Zero  variant.Zero
	// Flags reports whether a segment with these flags is dropped where its sequence number is 0; nil for a rule about
	// another number.
	Flags   func(variant.Flags) bool
	AsOther string // the rule that it cannot be told from where it works in both directions; may be empty

	Devices string // that have it; empty: nobody knows one
	Cure    string // the command that shows or ends it there
}

// All returns the rules in the order in which they are documented.
func All() []Rule { return slices.Clone(table) }

// Named returns the rule of that name.
func Named(name string) (Rule, bool) {
	i := slices.IndexFunc(table, func(r Rule) bool { return r.Name == name })
	if i < 0 {
		return Rule{}, false
	}
	return table[i], true
}

// About returns the rule about that number of any segment, whatever its flags.
func About(zero variant.Zero) Rule {
	return table[slices.IndexFunc(table, func(r Rule) bool { return r.Zero == zero && r.Flags == nil })]
}

// KnownFrom is what the rule of that name is known from, and the command that shows or ends it there; empty if no
// device is known.
func KnownFrom(name string) string {
	r, _ := Named(name)
	return r.KnownFrom()
}

// KnownFrom is what the rule is known from, and the command that shows or ends it there; empty if no device is known.
func (r Rule) KnownFrom() string {
	if r.Devices == "" {
		return ""
	}
	return r.Devices + ": " + r.Cure
}

// Explain adds the rule, and what it is known from, to a message.
func (r Rule) Explain(message string) string {
	message += "; the rule is " + r.Name
	if known := r.KnownFrom(); known != "" {
		message += ", known from " + known
	}
	return message
}

// anyOf holds for flags of which one is among these.
func anyOf(these variant.Flags) func(variant.Flags) bool {
	return func(f variant.Flags) bool { return f&these != 0 }
}

// allOf holds for flags among which are all of these.
func allOf(these variant.Flags) func(variant.Flags) bool {
	return func(f variant.Flags) bool { return f&these == these }
}

// exactly holds for these flags and no others.
func exactly(these variant.Flags) func(variant.Flags) bool {
	return func(f variant.Flags) bool { return f == these }
}

// either holds where one of two does.
func either(a, b func(variant.Flags) bool) func(variant.Flags) bool {
	return func(f variant.Flags) bool { return a(f) || b(f) }
}
