package evidence

// Part is what a segment was sent for.
type Part uint8

const (
	NoPart        Part = iota
	SYN                // opens the connection
	ACK                // acknowledges what the peer sent
	Data               // completes a handshake that a bare ACK does not
	Byte               // shows that the peer holds the connection
	Trigger            // makes the peer close
	Suspect            // is what the scenario asks about
	Control            // is like the suspect, without the property under suspicion
	Beacon             // draws an answer at once: the path is alive
	Witness            // lies behind a lost suspect, so that the peer names what is missing
	Heal               // carries a lost suspect's bytes in another way
	Across0            // carries bytes on both sides of 0
	InOrder            // is a FIN before any ACK overtook one
	OvertakingACK      // acknowledges the peer's FIN ahead of a FIN that was there first
	Knock              // asks a silent port for an RST
	StillThere         // asks whether the peer holds the connection after its end
	RST                // ends the connection
	RSTOfOlder         // ends an older connection of the same ports
)

// names are the parts in the words of evidence and captures.
var names = [...]string{
	SYN: "syn", ACK: "ack", Data: "data", Byte: "byte", Trigger: "trigger",
	Suspect: "suspect", Control: "control", Beacon: "beacon", Witness: "witness", Heal: "heal",
	Across0: "across 0", InOrder: "fin in order", OvertakingACK: "overtaking ack",
	Knock: "knock", StillThere: "still there?", RST: "rst", RSTOfOlder: "rst of stale state",
}

func (p Part) String() string {
	if int(p) < len(names) {
		return names[p]
	}
	return ""
}
