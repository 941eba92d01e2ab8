// Package variant is the table of SequenceWrap's variants: the kinds of segments that are made to meet the number 0.
// Schema, engine, command line and documents take from it what they know of a variant.
package variant

import (
	"slices"
	"strings"
	"time"
)

// Variant is one kind of segment.
type Variant struct {
	Name    string
	Suspect string // the segment in the words of a message: "data with PSH"
	Flags   Flags  // of the segment
	Data    bool   // it carries data
	Zero    Zero   // which of its numbers is 0
	Where   Where
	Waits   time.Duration // how long a path without loss may take, whatever the pace
	Note    bool          // its loss is reported as Inconclusive, never as Fail

	Brief   string // beside its name in the schema; may be empty
	Sent    string // what is sent
	Arrived string // how it is known to have arrived: "… if"
	Control string // what it is compared with
}

// Flags are the control bits of a TCP header.
type Flags uint8

// The flags, with the values that the header has.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
)

// Zero says which number of a segment is 0.
type Zero uint8

// Numbers that can be 0.
const (
	AtStart        Zero = iota // the sequence number
	Across                     // that of a byte within its data
	Acknowledgment             // the acknowledgement number
)

// Where says where a segment belongs.
type Where uint8

// Places.
const (
	Crossing   Where = iota // in a connection whose numbers cross 0
	Connection              // in a connection of its own
	Opening                 // before there is a connection
	ClosedPort              // at a port of the target's address where nobody listens
)

// ClosedPorts are tried until one is closed. They lie above what Linux gives to its own connections.
var ClosedPorts = [...]uint16{65534, 65531, 65523}

// FlagsAtZero reports whether its loss shows that a device drops these flags at sequence number 0.
func (v Variant) FlagsAtZero() bool { return v.Zero == AtStart && !v.Note }

// All returns the variants in the order in which they are documented. The first is what is asked by default.
func All() []Variant { return slices.Clone(table) }

// Default is what is asked by default.
func Default() Variant { return table[0] }

// Named returns the variant of that name.
func Named(name string) (Variant, bool) {
	for _, v := range table {
		if v.Name == name {
			return v, true
		}
	}
	return Variant{}, false
}

// Names are those of the variants for which is holds, in order.
func Names(is func(Variant) bool) (names []string) {
	for _, v := range table {
		if is(v) {
			names = append(names, v.Name)
		}
	}
	return names
}

// List is names in a sentence: "FinUrgPush, Null and AckZero".
func List(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// Any holds for every variant.
func Any(Variant) bool { return true }

// NeedsClosedPort holds for those that are asked at a port where nobody listens.
func NeedsClosedPort(v Variant) bool { return v.Where == ClosedPort }

// HasToWait holds for those that may take time on a path without loss.
func HasToWait(v Variant) bool { return v.Waits > 0 }
