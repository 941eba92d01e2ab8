package rule

import "github.com/tcpprobe/tcpprobe/probe/variant"

// Loses reports whether the rule drops a variant's segment at sequence number 0.
func (r Rule) Loses(v variant.Variant) bool {
	return v.FlagsAtZero() && r.Flags != nil && r.Flags(v.Flags)
}

// Open returns the rules that a device may have although they are not in the table: by any set of flags, by whether
// there is data, or by both. Each is given by which of the variants it loses.
func Open() (all []func(variant.Variant) bool) {
	for flags := range sixFlags + 1 {
		for _, kind := range []func(variant.Flags) func(variant.Flags) bool{anyOf, allOf, exactly} {
			all = append(all, withLength(kind(flags))...)
		}
	}
	return all
}

const sixFlags = fin | syn | rst | psh | ack | urg

// withLength returns a rule about flags alone, and those that also look at the length.
func withLength(flags func(variant.Flags) bool) []func(variant.Variant) bool {
	return []func(variant.Variant) bool{
		func(v variant.Variant) bool { return flags(v.Flags) },
		func(v variant.Variant) bool { return flags(v.Flags) && v.Data },
		func(v variant.Variant) bool { return flags(v.Flags) && !v.Data },
		func(v variant.Variant) bool { return flags(v.Flags) || v.Data },
		func(v variant.Variant) bool { return flags(v.Flags) || !v.Data },
	}
}
