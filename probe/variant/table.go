package variant

import "time"

// table has one entry for each variant. After a change run go generate ./...
var table = []Variant{
	{
		Name: "Push", Suspect: "data with PSH", Flags: PSH | ACK, Data: true,
		Sent: "data with PSH+ACK, which is what nearly every sender puts on its last segment. Each flow begins with " +
			"another length: 3, 64 to 127, a full segment (at most 1,460), 1, 400 to 599, 10 bytes, and so on",
		Arrived: "they are acknowledged",
		Control: "data with the same flags, just before",
	},
	{
		Name: "UrgentPush", Suspect: "data with URG and PSH", Flags: URG | PSH | ACK, Data: true,
		Sent:    "the same with URG+PSH+ACK, the urgent pointer behind them, and 2 bytes instead of 1",
		Arrived: "they are acknowledged",
		Control: "data with the same flags, just before",
	},
	{
		Name: "Data", Suspect: "data without PSH", Flags: ACK, Data: true, Brief: "without PSH",
		Sent:    "the same with ACK alone",
		Arrived: "they are acknowledged",
		Control: "data with the same flags, just before",
	},
	{
		Name: "Straddle", Suspect: "data across 0", Flags: PSH | ACK, Data: true, Zero: Across, Brief: "data across 0",
		Sent:    "PSH+ACK data that starts half its length before 0 and ends behind it",
		Arrived: "it is acknowledged",
		Control: "data with the same flags, just before",
	},
	{
		Name: "Fin", Suspect: "a FIN", Flags: FIN | ACK,
		Sent:    "FIN+ACK without data",
		Arrived: "it is acknowledged with 1",
		Control: "a FIN elsewhere, on a fresh connection of the same ports",
	},
	{
		Name: "PushFin", Suspect: "data with PSH and FIN", Flags: PSH | FIN | ACK, Data: true,
		Sent:    "data with PSH+FIN+ACK",
		Arrived: "all is acknowledged",
		Control: "a FIN elsewhere, on a fresh connection of the same ports",
	},
	{
		Name: "Ack", Suspect: "a bare ACK", Flags: ACK, Where: Connection, Waits: 2 * time.Second, Brief: "a keep-alive",
		Sent:    "a bare ACK at an old number, as a keep-alive is",
		Arrived: "it draws an ACK",
		Control: "one at another old number",
	},
	{
		Name: "HandshakeAck", Suspect: "the final ACK of a handshake", Flags: ACK, Where: Connection, Note: true,
		Sent:    "the final ACK of a handshake",
		Arrived: "an old byte afterwards shows that the peer calls the connection established",
		Control: "one elsewhere",
	},
	{
		Name: "Reset", Suspect: "an RST", Flags: RST | ACK, Where: Connection, Waits: 2 * time.Second,
		Brief:   "within the window: the connection survives",
		Sent:    "RST+ACK in the window but not at the number the peer expects (RFC 5961), which the connection survives",
		Arrived: "it is challenged by an ACK; an older peer that obeys it has got it too",
		Control: "one at another number in the window",
	},
	{
		Name: "Syn", Suspect: "a SYN", Flags: SYN, Where: Opening,
		Sent:    "a SYN",
		Arrived: "it is answered by a SYN-ACK or an RST",
		Control: "a SYN elsewhere, on the same ports",
	},
	{
		Name: "FinUrgPush", Suspect: "FIN, URG and PSH together", Flags: FIN | URG | PSH, Where: ClosedPort,
		Sent:    "FIN+URG+PSH, no ACK, to a closed port",
		Arrived: "an RST comes back",
		Control: "the same at another number",
	},
	{
		Name: "Null", Suspect: "a segment without flags", Data: true, Where: ClosedPort,
		Brief:   "no flag; YAML needs the quotes",
		Sent:    "a byte without any flag, to a closed port",
		Arrived: "an RST comes back",
		Control: "the same at another number",
	},
	{
		Name: "AckZero", Suspect: "an ACK of number 0", Flags: ACK, Zero: Acknowledgment, Where: ClosedPort,
		Brief:   "acknowledges 0",
		Sent:    "an ACK whose *acknowledgement* number is 0, to a closed port",
		Arrived: "an RST comes back, which then has the number 0",
		Control: "an ACK of another number",
	},
	{
		Name: "PeerPush", Suspect: "the target's own data", Flags: PSH | ACK, Data: true, Where: FromPeer,
		Waits: 30 * time.Second, Brief: "the way back; needs a target that sends back what it gets",
		Sent: "nothing there by this side: the *target's* numbers cross 0, and it is made to send back 64 bytes that start " +
			"there. One flow asks, whatever `paths`",
		Arrived: "they come back",
		Control: "as many bytes that it sends back just before",
	},
}
