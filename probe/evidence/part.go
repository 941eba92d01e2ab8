package evidence

import "fmt"

// Part is the purpose of a sent segment. A part for one of many numbers has the number above the lowest byte.
type Part uint64

// Parts. Received segments have none.
const (
	NoPart         Part = iota
	SYN                 // opens the connection
	ACK                 // acknowledges what the peer sent
	Data                // completes a handshake that a bare ACK does not
	Byte                // shows that the peer holds the connection
	Trigger             // makes the peer close
	Suspect             // is the segment whose delivery the scenario tests
	Control             // is like the suspect, but without the property that is tested
	Beacon              // causes an immediate answer, which shows that the path works
	Witness             // is data after a lost suspect: the peer's SACK then shows what is missing
	Heal                // sends a lost suspect's bytes in another segment
	Across0             // has bytes before and after sequence number 0
	InOrder             // is a FIN that no ACK has overtaken
	OvertakingACK       // acknowledges the peer's FIN and arrives before a FIN with a lower sequence number
	UnsolicitedACK      // causes an RST from a host that does not answer SYNs
	StillThere          // checks whether the peer still holds the connection after an RST
	RST                 // ends the connection
	RSTOfOlder          // resets an older connection of the same ports
	Request             // is to be sent back by the peer
	FIN                 // ends the connection where the peer takes no RST
	Alike               // is like the suspect, at a number that a rule about 0 may mean as well
	acknowledged        // data that the peer acknowledges with a certain number
)

// AcknowledgedWith returns the part of data that the peer acknowledges with the given number. Each number is a part of
// its own.
func AcknowledgedWith(number uint32) Part { return acknowledged | Part(number)<<8 }

// names are the parts' names in evidence and captures.
var names = [...]string{
	SYN: "syn", ACK: "ack", Data: "data", Byte: "byte", Trigger: "trigger",
	Suspect: "suspect", Control: "control", Beacon: "beacon", Witness: "witness", Heal: "heal",
	Across0: "across 0", InOrder: "fin in order", OvertakingACK: "overtaking ack",
	UnsolicitedACK: "knock", StillThere: "still there?", RST: "rst", RSTOfOlder: "rst of stale state",
	FIN: "fin", Alike: "alike", Request: "request",
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
