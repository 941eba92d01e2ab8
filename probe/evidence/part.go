package evidence

import "fmt"

// Part is what a segment was sent for. Those that are sent for one number of many have it above the first byte.
type Part uint64

// Parts. A segment that was received has none.
const (
	NoPart         Part = iota
	SYN                 // opens the connection
	ACK                 // acknowledges what the peer sent
	Data                // completes a handshake that a bare ACK does not
	Byte                // shows that the peer holds the connection
	Trigger             // makes the peer close
	Suspect             // is what the scenario asks about
	Control             // is like the suspect, without the property under suspicion
	Beacon              // draws an answer at once: the path is alive
	Witness             // lies behind a lost suspect, so that the peer names what is missing
	Heal                // carries a lost suspect's bytes in another way
	Across0             // carries bytes on both sides of 0
	InOrder             // is a FIN before any ACK overtook one
	OvertakingACK       // acknowledges the peer's FIN ahead of a FIN that was there first
	UnsolicitedACK      // makes a host answer with an RST where it answers no SYN
	StillThere          // asks whether the peer holds the connection after its end
	RST                 // ends the connection
	RSTOfOlder          // ends an older connection of the same ports
	acknowledged        // is to be acknowledged with a number
)

// AcknowledgedWith is a part of its own for each number: data that is to be acknowledged with it.
func AcknowledgedWith(number uint32) Part { return acknowledged | Part(number)<<8 }

// names are the parts in the words of evidence and captures.
var names = [...]string{
	SYN: "syn", ACK: "ack", Data: "data", Byte: "byte", Trigger: "trigger",
	Suspect: "suspect", Control: "control", Beacon: "beacon", Witness: "witness", Heal: "heal",
	Across0: "across 0", InOrder: "fin in order", OvertakingACK: "overtaking ack",
	UnsolicitedACK: "knock", StillThere: "still there?", RST: "rst", RSTOfOlder: "rst of stale state",
}

func (p Part) String() string {
	switch {
	case p&0xff == acknowledged:
		return fmt.Sprintf("to be acknowledged with %d", p>>8)
	case p < Part(len(names)):
		return names[p]
	}
	return fmt.Sprintf("part %d", uint64(p))
}
