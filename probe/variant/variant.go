// Package variant has the table of SequenceWrap's variants: the kinds of segments that are sent with the number 0. The
// schema, the engine, the command line and the documentation use it.
package variant

import (
	"slices"
	"strings"
	"time"
)

// Variant is one kind of segment.
type Variant struct {
	Name    string
	Suspect string // name of the segment in messages: "data with PSH"
	Flags   Flags  // flags of the segment
	Data    bool   // the segment has data
	Zero    Zero   // which of the segment's numbers is 0
	Where   Where
	Waits   time.Duration // time that a test may take on a path without loss, whatever the pace
	Note    bool          // its loss is reported as Inconclusive, never as Fail

	Brief   string // comment in the schema; may be empty
	Sent    string // what is sent, for the documentation
	Arrived string // how its arrival is recognised; completes "… if"
	Control string // the segment that it is compared with
}

// Flags are the control bits of a TCP header.
type Flags uint8

// The flags with their values in the header.
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
	Across                     // the sequence number of a byte within the data
	Acknowledgment             // the acknowledgement number
)

// Where is the state of the connection in which a segment is sent.
type Where uint8

// Connection states.
const (
	Crossing   Where = iota // in a connection whose numbers cross 0
	Connection              // in a connection of its own
	Opening                 // before a connection is established
	ClosedPort              // to a port of the target's address on which nothing listens
	FromPeer                // in a connection in which the target's numbers cross 0: the target sends it
)

// ClosedPorts are tried until one is closed. They are above the range that Linux uses for its own connections.
var ClosedPorts = [...]uint16{65534, 65531, 65523}

// FlagsAtZero reports whether a loss of the variant shows that a device drops these flags at sequence number 0 on the
// way to the target.
func (v Variant) FlagsAtZero() bool { return v.Zero == AtStart && !v.Note && v.Where != FromPeer }

// All returns the variants in the order of the documentation. The first is the default.
func All() []Variant { return slices.Clone(table) }

// Default returns the variant that is tested by default.
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

// Names returns the names of the variants for which is holds, in order.
func Names(is func(Variant) bool) (names []string) {
	for _, v := range table {
		if is(v) {
			names = append(names, v.Name)
		}
	}
	return names
}

// List joins names for a sentence: "FinUrgPush, Null and AckZero".
func List(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// Any holds for every variant.
func Any(Variant) bool { return true }

// NeedsClosedPort holds for variants that are sent to a closed port.
func NeedsClosedPort(v Variant) bool { return v.Where == ClosedPort }

// HasToWait holds for variants that take time even on a path without loss.
func HasToWait(v Variant) bool { return v.Waits > 0 }
