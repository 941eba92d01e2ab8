package reason

import "slices"

// Scenarios with their own meanings of reasons.
const (
	handshake    = "Handshake"
	sequenceWrap = "SequenceWrap"
	finReorder   = "FinReorder"
	acceptQueue  = "AcceptQueue"
	pathMTU      = "PathMTU"
	idleTimeout  = "IdleTimeout"
)

// table has one entry for each reason, sorted by verdict. After a change run go generate ./...
var table = slices.Concat(passed, failed, inconclusive)

var passed = []Reason{
	{"Established", Pass, "Handshake: the peer proved that its connection exists", []Meaning{{handshake,
		"the peer holds the connection. *deferredAccept* in the message: its listener completes a handshake only with data",
		""}}},
	{"Delivered", Pass, "SequenceWrap: the suspect was acknowledged", []Meaning{{sequenceWrap,
		"this flow's suspect arrived",
		"a Pass holds up to the first device that rewrites sequence numbers or ends connections (randomising firewall, " +
			"SYN proxy, sidecar, L7 balancer)"}}},
	{"FinAccepted", Pass, "FinReorder: the FIN that an ACK had overtaken was accepted", []Meaning{{finReorder,
		"**this application's way of closing is not affected.** It does not show that the kernel is fixed: after " +
			"`close()` the affected ones accept it as well, unless the ACK arrives while that call still runs",
		""}}},
	{"NotReached", Pass, "AcceptQueue: nothing overflowed within the cap", []Meaning{{acceptQueue,
		"all connections up to the limit got a place",
		""}}},
	{"SizesArrived", Pass, "PathMTU: segments of all lengths that may be sent were acknowledged", []Meaning{{pathMTU,
		"segments of all lengths that were asked arrived, up to what the device or route here, or the MSS of the target's " +
			"SYN-ACK, allows. The message says which of these it was, and what is known of the way back",
		""}}},
	{"PathMTUSignaled", Pass, "PathMTU: longer segments draw an ICMP error, and those of the MTU it names arrive",
		[]Meaning{{pathMTU,
			"longer segments do not arrive, but a router says so by an ICMP error, and what fits into the MTU that it names " +
				"arrives. The message has the router and the MTU. Each sender loses its first full segment to a new target, and " +
				"then sends shorter ones",
			"nothing, as long as no firewall drops ICMP errors; a lower MTU at the route, or MSS clamping on the router, " +
				"saves the first loss"}}},
	{"IdleHeld", Pass, "IdleTimeout: connections survive as much silence as was asked", []Meaning{{idleTimeout,
		"a connection without a segment in either direction was answered afterwards, for each time up to the longest that " +
			"was asked",
		""}}},
	{"PeerKeepsAlive", Pass, "IdleTimeout: connections survive, and the target itself sends keep-alives",
		[]Meaning{{idleTimeout,
			"connections in which this side sends nothing survive, because the target sends keep-alives; the message has the " +
				"longest time without a segment. What becomes of more silence is not known, and connections to this target do " +
				"not meet it",
			"nothing, as long as the target's application keeps that option (`SO_KEEPALIVE`)"}}},
}

var failed = []Reason{
	{"Refused", Fail, "Handshake: RST in answer to the SYN", []Meaning{{handshake,
		"an RST answered",
		"see whether the application listens, and whether a firewall rejects"}}},
	{"Filtered", Fail, "Handshake: no answer from two source ports", []Meaning{{handshake,
		"no answer from two source ports",
		"look for a firewall that drops, or a path that ends"}}},
	{"QueueFullOrSynFiltered", Fail, "Handshake: SYNs are ignored, other segments to the port are answered",
		[]Meaning{{handshake,
			"SYNs are ignored, and an ACK to the same port draws an RST: the accept queue is full because the application " +
				"has stalled, or a firewall drops SYNs only",
			"`ss -lnt` on the target shows a full queue (Recv-Q above Send-Q), and `nstat -az TcpExtListenOverflows` grows; " +
				"restart the application then. Else look for the firewall"}}},
	{"Unreachable", Fail, "Handshake: an ICMP error; the message has its code", []Meaning{{handshake,
		"an ICMP error, which the message names, or no next hop on the link",
		"look at routes and the neighbour table"}}},
	{"AckLostOrQueueFull", Fail, "Handshake: SYN-ACK, but the final ACK changed nothing", []Meaning{{handshake,
		"SYN-ACKs came, but neither the final ACK nor data changes anything",
		"`nstat -az TcpExtListenOverflows` on the target; then ask AcceptQueue"}}},
	{"SynLost", Fail, "Handshake: the first SYN of each connection is lost", []Meaning{{handshake,
		"the first SYN of each connection gets no answer, and the second one does, so each connect takes 1 s longer " +
			"(`stallMillis`). The message says whether it is shown that the SYN is lost and not its answer",
		"look for a device that drops the first SYN of what it does not know (protection against SYN floods), or that has " +
			"to learn each flow first (a table of flows): probe from hosts along the path"}}},
	{"SynAckLost", Fail, "Handshake: the first SYN-ACK of each connection is lost", []Meaning{{handshake,
		"the SYN arrives, but the first SYN-ACK of each connection is lost on the way back: the peer repeats it after 1 s " +
			"(`stallMillis`)",
		"as for SynLost, in the other direction: probe from the target's side"}}},
	{"Altered", Fail, "Handshake: the answer acknowledges a number that was not sent", []Meaning{{handshake,
		"answers to what was not sent",
		"find what rewrites sequence numbers on the way"}}},
	{"ReverseRstZeroDropped", Fail, "Handshake: an RST comes back unless its sequence number is 0", []Meaning{{handshake,
		"the port is closed, and only its RST, whose number is 0, is lost on the way back. `SequenceWrap/AckZero` finds " +
			"it too, at its closed port",
		"as for SequenceZeroDropped, in the other direction"}}},
	{"SequenceZeroDropped", Fail, "SequenceWrap: exactly the segment at sequence 0 is lost", []Meaning{{sequenceWrap,
		"what starts at 0 (of `Straddle`: what crosses it) is lost; `share` says on how many of the paths",
		"find the hop by probing from hosts along the path, and ask for all variants (`SequenceWrap/all`), which names " +
			"the rule"}}},
	{"NumbersAlikeDropped", Fail, "SequenceWrap: lost at 0 and at numbers like it",
		[]Meaning{{sequenceWrap,
			"the segment is lost at 0, and so is the same at numbers like it, which the message names: multiples of a power " +
				"of two, or small numbers. Ordinary numbers arrive. So it meets a connection far more often than once in 4 GiB: " +
				"at multiples of 65536, every 65536th segment or so",
			"no rule about 0 is named, and the cures of devices that have one do not help: look for a device that reads a " +
				"part of the number only, or compares it with a bound; find the hop as for SequenceZeroDropped"}}},
	{"SequenceZeroDelayed", Fail, "SequenceWrap: segments at 0 arrive later than others",
		[]Meaning{{sequenceWrap,
			"what starts at 0 arrives, but later than the same at other numbers; the message says by how much. From the " +
				"sender's retransmission timeout on (200 ms or more) it is sent again, and each such connection stalls",
			"look for a device that punts such segments to a slow path or holds them back: probe from hosts along the " +
				"path and compare the delays"}}},
	{"SequenceZeroFirstDropped", Fail, "SequenceWrap: each connection's first at 0 is lost",
		[]Meaning{{sequenceWrap,
			"the first segment at 0 of each connection is lost, repeats arrive: each real connection stalls for a " +
				"retransmission timeout",
			"look for a device that keeps state of connections and checks the first segment of a kind (IDS, TCP " +
				"normaliser); its counters grow by one a connection"}}},
	{"SequenceZeroDroppedBySize", Fail, "SequenceWrap: segments at 0 are lost by their length",
		[]Meaning{{sequenceWrap,
			"what starts at 0 is lost if it is short, or if it is long; the message has the lengths. Controls of the same " +
				"lengths arrive",
			"look for a rule about both, such as a check of small segments or a fast path for full ones; connections " +
				"that send other lengths there are not hit"}}},
	{"SequenceZeroDroppedByOptions", Fail, "SequenceWrap: segments at 0 are lost by the timestamps option",
		[]Meaning{{sequenceWrap,
			"what starts at 0 is lost without the timestamps option and arrives with it, or the reverse; the message says " +
				"which. Controls of both kinds arrive. Connections that negotiate the option carry it in every segment, as " +
				"those of most systems do",
			"look for a rule that reads the bytes after the TCP header, or compares the header's length; find the hop as for " +
				"SequenceZeroDropped. `net.ipv4.tcp_timestamps` on Linux decides which kind its connections send"}}},
	{"SequenceZeroLossy", Fail, "SequenceWrap: lost more often at 0, but not always",
		[]Meaning{{sequenceWrap,
			"segments at 0 are lost more often than others, in one flow or over all of them, on no flow always; or all of " +
				"them are as long as others at 0 come within the same second, and one sent alone arrives: the message says so",
			"look for a fabric that sprays packets over members, one of them bad; where one alone arrives, for a limit on " +
				"their rate"}}},
	{"ResetAtZero", Fail, "SequenceWrap: exactly the segment at sequence 0 draws an RST",
		[]Meaning{{sequenceWrap,
			"what starts at 0 draws an RST; the same at other numbers does not. Real connections die there. The message says " +
				"whose RST it is: a device's, if its hop limit is not the peer's or the peer held the connection still; else " +
				"the peer's, or of something that looks like it",
			"find the device by the hop limit (64, 128 or 255 less its distance) and by probing from hosts along the path"}}},
	{"SequenceZeroStalled", Fail, "SequenceWrap: the kernel's connections stall at 0",
		[]Meaning{{sequenceWrap,
			"ordinary connections of this host's kernel had to repeat segments where their numbers cross 0, or stood still " +
				"there; others did not, and no other variant's Fail explains it. The crafted flows delivered everything, or " +
				"decide nothing by themselves: see the message. `stallMillis`: how much longer they took",
			"`kernelConnections` in the report says which sizes. Look for a device that drops or delays by size or options, " +
				"the first segment of each connection, or the answers to what starts at 0, and for one that blocks the whole " +
				"connection there; find the hop as for SequenceZeroDropped. Where \"data before 0 is in flight decides\", look " +
				"for one that follows acknowledgements: bulk transfers stall, requests that wait do not. Where only those " +
				"\"within a segment\" suffer, ask for `Straddle`"}}},
	{"SequenceZeroDied", Fail, "SequenceWrap: the kernel's connections die at 0",
		[]Meaning{{sequenceWrap,
			"ordinary connections of this host's kernel were reset, or ended by an error, where their numbers cross 0; others " +
				"were not, and no other variant's Fail explains it. The crafted flows delivered everything, were reset, or " +
				"decide nothing by themselves",
			"as for SequenceZeroStalled; look for a device that resets connections"}}},
	{"WrapDropped", Fail, "SequenceWrap: what is beyond the wrap at 2^32 is lost",
		[]Meaning{{sequenceWrap,
			"not one number is lost, but all segments that start at 0 or after it, or in a range of numbers from 0 on. The " +
				"message says how far that reaches, whether what ends at 0 or crosses it arrives, and whether segments of no " +
				"connection are lost as well",
			"look for a firewall that follows connections and compares numbers without regard to the wrap (Cisco's note on " +
				"its FTD, CSCwj28437, names wrap-arounds), or for a rule about a range of numbers: probe from hosts along the " +
				"path"}}},
	{"WrapWindowDropped", Fail, "SequenceWrap: lost beyond the wrap until what is before is acknowledged",
		[]Meaning{{sequenceWrap,
			"what starts or ends beyond 0 is lost as long as the acknowledgement of 0 has not come by: a device ends the " +
				"peer's window at 2^32. Only a segment that crosses 0 (`Straddle`), or data in flight across it, meets that",
			"as for WrapDropped; look for the check of windows: a TCP normaliser, or connection tracking. On a device with " +
				"Linux `net.netfilter.nf_conntrack_tcp_be_liberal=1` switches that check off except for RSTs"}}},
	{"WrapEndDropped", Fail, "SequenceWrap: segments are lost that end at the wrap or beyond it",
		[]Meaning{{sequenceWrap,
			"what starts before 0 and ends at it or behind it is lost, what starts at 0 arrives: a device adds number and " +
				"length without regard to the wrap",
			"as for WrapDropped"}}},
	{"AckZeroDropped", Fail, "SequenceWrap: answers that acknowledge exactly 0 are lost", []Meaning{{sequenceWrap,
		"answers that acknowledge exactly 0 are lost on the way back. Of `AckZero`: an ACK of number 0, or the RST at 0 " +
			"that it draws, is lost",
		"as for SequenceZeroDropped; for the way back probe from the target's side"}}},
	{"PeerZeroDropped", Fail, "SequenceWrap: the target's own segment at sequence 0 is lost on the way back",
		[]Meaning{{sequenceWrap,
			"`PeerPush`: what the target sends from its number 0 on does not come back, in none of its repetitions; as many " +
				"bytes before and behind do. Connections that get 4 GiB or begin just below hang there",
			"as for SequenceZeroDropped, in the other direction: probe from the target's side, and find the hop from there"}}},
	{"FinIgnored", Fail, "FinReorder: the peer ignored a FIN that an ACK had overtaken", []Meaning{{finReorder,
		"the FIN was ignored on two connections or more. `stallMillis` is how long the close waited (modelled on " +
			"Linux's least retransmission timeout)",
		"run a kernel with the fix on the *target*, or call `close()` instead of `shutdown()` in its application"}}},
	{"PathMTUBlackhole", Fail, "PathMTU: longer segments vanish, and no ICMP error helps", []Meaning{{pathMTU,
		"segments up to a length arrive, and all longer ones vanish, though both ends allow them. No ICMP error comes, or " +
			"what fits into the MTU that it names vanishes too. The message has the largest IP packet that arrives. " +
			"Handshakes and short requests succeed, and each connection stalls at its first full segment",
		"let ICMP (IPv4 type 3 code 4, IPv6 type 2) through from the router before the narrow link, or look for a tunnel " +
			"whose overhead nobody subtracted; or lower the MTU of the device or route, or clamp the MSS. On Linux " +
			"`net.ipv4.tcp_mtu_probing=1` finds the size after some seconds"}}},
	{"SizeDropped", Fail, "PathMTU: segments of a length are lost, longer ones arrive", []Meaning{{pathMTU,
		"segments of one length, or of some range, are lost although shorter and longer ones arrive. The message has a " +
			"length",
		"look for a rule or a damaged queue that drops by length; find the hop by probing from hosts along the path"}}},
	{"IdleDropped", Fail, "IdleTimeout: what idle connections send vanishes", []Meaning{{idleTimeout,
		"after some silence what a connection sends vanishes, and neither end hears of it: a NAT, firewall or load " +
			"balancer has forgotten it. The message has the longest silence that was survived and the shortest that was not. " +
			"An application waits for minutes until its kernel gives up",
		"send keep-alives more often than the shorter of the two times: `SO_KEEPALIVE` in the application and " +
			"`net.ipv4.tcp_keepalive_time` below it (7200 s unless set), or those of the protocol; or raise the " +
			"timeout of the device; see [the limits that are known](#limits-that-are-known)"}}},
	{"IdleReset", Fail, "IdleTimeout: idle connections are ended by RST or FIN, one that is used is not",
		[]Meaning{{idleTimeout,
			"after some silence connections are ended by an RST or a FIN, or their next segment draws an RST, while one as " +
				"old that was not idle lives. The message has both times, and what the hop limit shows of who sent it",
			"as for IdleDropped"}}},
	{"QueueOverflowed", Fail, "AcceptQueue: connections were dropped within the cap", []Meaning{{acceptQueue,
		"`queue.least` connections had a place, then one had none. A greater `queue.most` means several queues, or an " +
			"application that accepts slowly. `queue.behaviour` is what clients meet: `IgnoredSyn` (they see slow " +
			"connects), `IgnoredAck` (they believe in a connection that is not there) or `Reset` (`tcp_abort_on_overflow`). " +
			"`freed: false`: nothing has been accepted since, and the queue stays full until it is",
		"raise the backlog (the application's `listen()`, `net.core.somaxconn`), or find out why it does not accept. " +
			"`ss -ltn` on the target shows the queue (Recv-Q) and its room (Send-Q). Where it stays full, restart the " +
			"application"}}},
}

var inconclusive = []Reason{
	{"PathDown", Inconclusive, "handshake or control never answered", []Meaning{
		{"",
			"no connection, or controls never answered. Of `FinUrgPush`, `Null`, `AckZero`: no closed port refuses a SYN",
			"ask Handshake, which says why. For those three nothing, where a firewall hides closed ports; but `AckZero` " +
				"tells whether the RST to the SYN, whose number is 0, is lost on the way back"},
		{acceptQueue,
			"not one connection got a place, or suddenly nothing is answered any more",
			"the queue may be full already: `ss -ltn` on the target shows it (Recv-Q) and its room (Send-Q)"}}},
	{"PathLossy", Inconclusive, "too much other loss to blame the suspect", []Meaning{{"",
		"the suspect is lost, but so much else is that chance is not excluded",
		"give more time, or repair the loss first"}, {handshake,
		"SYNs, or data after a SYN-ACK, got no answer, but the path's own loss explains that",
		"ask for more `paths`, which tells more about the loss, or repair it first"}, {pathMTU,
		"longer segments were lost several times in a row, but chance, or a limit on the rate of bytes, explains that",
		"give more time, or repair the loss first; look for a policer, if it happens again"}, {idleTimeout,
		"a connection that had been silent did not answer at once, but chance explains that, or it answered later",
		"repair the loss first, or ask again"}}},
	{"ListenerGone", Inconclusive, "the port accepted connections, and refuses all since", []Meaning{{"",
		"the port accepted connections of this run, and then refused all: the server accepts only once or so often, or it " +
			"has ended",
		"let the server accept in a loop, or start it again and ask one scenario; look whether it crashed"}}},
	{"ConnectionLimit", Inconclusive, "Handshake: fails beside other connections, and never alone",
		[]Meaning{{handshake,
			"beside others of this probe the handshake failed, and alone it succeeded from the same port, several times; or " +
				"most flows needed several SYNs, some got no answer, and later ones from the same port did: concurrent or new " +
				"connections of one client are limited, or the accept queue is short",
			"ask for fewer `paths`; look for a limit of connections on the way, and at the application's backlog"}}},
	{"SynLimited", Inconclusive, "AcceptQueue: new SYNs are rejected, handshakes in progress are not",
		[]Meaning{{acceptQueue,
			"after some connections SYNs are ignored or refused, but a handshake in progress was completed: something " +
				"limits SYNs or connections, or the application accepts slowly, or several listeners share the port " +
				"(`SO_REUSEPORT`) and one's queue is full. Or new source ports are ignored, while those are answered that " +
				"were before. It is not shown to be the queue",
			"look for a limit by rate or source on the way. `nstat -az TcpExtListenOverflows` on the target grows if it is " +
				"the queue"}}},
	{"QueueOrLimit", Inconclusive, "AcceptQueue: connections are rejected by a queue or by a limit",
		[]Meaning{{acceptQueue,
			"connections got no place, or only after segments of theirs were ignored, and a full queue, a SYN proxy and a " +
				"limit of connections look the same",
			"`ss -lnt` on the target shows a full queue (Recv-Q above Send-Q), `nstat -az TcpExtListenOverflows` one that " +
				"was full; else look for a limit on the way"}}},
	{"KernelDisagrees", Inconclusive, "SequenceWrap: crafted flows pass, kernel connections seem to suffer",
		[]Meaning{{sequenceWrap,
			"the crafted flows delivered everything, but ordinary connections of this host's kernel that cross 0 fared worse " +
				"than others, and chance is not excluded",
			"repair other loss first, or give more time; `kernelConnections` in the report has the counts by size"}}},
	{"LossUnexplained", Inconclusive, "SequenceWrap: suspects were lost far more often than controls",
		[]Meaning{{sequenceWrap,
			"each flow delivered a suspect in the end, but over all flows suspects were lost far more often than controls. No " +
				"question about length, order, delay, repeats or a share of paths told why. The message has both counts",
			"connections that cross 0 are likely to suffer: let kernel connections ask too (`--kernel-connections`), and find " +
				"the hop as for SequenceZeroDropped"}}},
	{"PeerZeroNotAsked", Inconclusive, "SequenceWrap: the target could not be made to send at sequence 0",
		[]Meaning{{sequenceWrap,
			"`PeerPush`: the target could not be made to send a segment at its number 0; the message says why. It sends back " +
				"no more than it gets only where its application echoes, and its initial numbers must follow the clock of " +
				"Linux. This is no fault and counts in no verdict beside others",
			"to ask nevertheless, run an echo server on the target's host, and ask that"}}},
	{"HandshakeAckLost", Inconclusive,
		"SequenceWrap: the final ACK at 0 has no effect; data has", []Meaning{{sequenceWrap,
			"the final ACK at 0 has no effect, elsewhere it has. It breaks no connection that sends data",
			"ask for `Ack` and `Data`, which show whether more is lost"}}},
	{"StateTracking", Inconclusive, "segments with these flags are lost at every number",
		[]Meaning{{sequenceWrap,
			"this kind of segment is lost at every number",
			"nothing, if a firewall on the way drops what it calls invalid (`FinUrgPush`, `Null`); else look what drops " +
				"these flags"}}},
	{"PeerDidNotClose", Inconclusive, "FinReorder: the trigger did not make the peer close first", []Meaning{{finReorder,
		"the trigger did not make the peer close first within 10 s, or it sent more than a megabyte. The message says how " +
			"much came, and whether something before its end is missing",
		"another trigger; a smaller resource; PathMTU where long segments may be lost on the way back"}}},
	{"FinReset", Inconclusive, "FinReorder: the peer resets once an ACK has overtaken its FIN", []Meaning{{finReorder,
		"FINs in order are accepted, but once an ACK has overtaken one, the peer resets the connection, each time. " +
			"gVisor's stack does so after `close()`. The message says whose RST it is",
		"where segments are reordered, closing ends in an error; ask the vendor of the target's stack, or find the device " +
			"that resets"}}},
	{"NoProofOfLife", Inconclusive, "what would prove that the path lives is not answered", []Meaning{{sequenceWrap,
		"the suspect is lost, and nothing sent after it proves that the path lives: neither old bytes nor new ones are " +
			"answered",
		"look for a device that ends the connection there, or that drops old and out-of-order data alike; ask `Syn` and " +
			"`Ack`, which need no such proof"}, {idleTimeout,
		"keep-alives are not answered even before any silence, so idle connections cannot be asked",
		"look for a device that drops old data; keep-alives do not help connections through it"}}},
	{"PeerClosed", Inconclusive, "IdleTimeout: the application closes connections, idle or not", []Meaning{{idleTimeout,
		"connections are ended some time after they were opened, and so is one that is not idle: an application that waits " +
			"so long for a request (nginx 60 s, sshd 120 s), or a proxy in front of it. Or idle ones end at different times. " +
			"The message has the times. An application that closes at once leaves no silence to ask about",
		"nothing, if that is what the application is to do; to ask the path, ask a port whose application waits longer, or " +
			"set its timeout for requests higher than the time asked about"}}},
	{"NotIsolated", Inconclusive, "the suspect is lost, and so are its bytes elsewhere", []Meaning{
		{sequenceWrap,
			"lost at 0, and elsewhere too, or nothing showed that it arrives elsewhere. Or it arrives, and something on the " +
				"way changes the acknowledgements, as the message then says. Of `HandshakeAck`: the peer does not let it be seen",
			"look at the other variants; where acknowledgements are changed, compare captures at both ends"},
		{finReorder,
			"a FIN in order is ignored too; or the overtaken one gets no answer at all, or is accepted half a second late. " +
				"The message says which: a firewall that drops it as invalid, or an application that closed meanwhile",
			"as the message says"},
		{pathMTU,
			"after a longer segment not even its bytes in shorter ones are answered",
			"look for a device that ends the connection there"},
		{idleTimeout,
			"some connections did not survive a silence that others survived, or only one did not, or nothing else lived " +
				"beside them then",
			"ask again; look whether devices beside each other have different timeouts"}}},
	{"PeerSpeaksFirst", Inconclusive, "the peer speaks first, and has got as many connections as it may", []Meaning{{"",
		"the server is known to speak first, by its port or by the preset of payloads, and many such servers lock out " +
			"hosts that leave without an answer. The run has opened as many connections to it as it may, and the question " +
			"needs more",
		"ask fewer scenarios or variants in one run, and clear what the server counts (`FLUSH HOSTS`) before the next"}}},
	{"ResetOnAccept", Inconclusive, "the application resets each connection that it accepts", []Meaning{{"",
		"connections are established, and the peer resets each of them at once, also those on which nothing was sent. " +
			"After three such ones no more is asked",
		"look at the application, or the proxy in front of it, which takes no client: its log, its list of allowed " +
			"clients, its limit of connections, the backend behind the proxy"}}},
	{"PeerReset", Inconclusive, "the peer reset the connection before a verdict, twice", []Meaning{
		{"",
			"the application closes on unfinished requests",
			"set `payload` (`--payload`) to the beginning of what it waits for"},
		{handshake,
			"a SYN-ACK, then an RST before the peer showed that it holds the connection",
			"find what resets: the application, or a proxy on the way"},
		{finReorder,
			"the peer resets instead of closing. The application closes with unread data",
			"another trigger"}}},
	{"StaleState", Inconclusive, "the peer still holds older connections of these ports", []Meaning{{"",
		"older connections of the same ports answer; they have been reset",
		"run again after two minutes"}}},
	{"GuardUnavailable", Inconclusive, "neither TCX nor clsact could be attached", []Meaning{{"",
		"neither TCX nor clsact, the kernel's two places for the guard, can be attached",
		"the message says which capability or kernel feature is missing; Linux 5.10 is needed, and `NET_ADMIN` and `BPF`"}}},
	{"GuardIncomplete", Inconclusive, "the guard did not take every segment that the tap saw", []Meaning{{"",
		"the local kernel may have interfered, or not all that the target sent was read: the host was too busy, or the " +
			"target sends too much. The message says which",
		"look for other tc programs in front (`tc filter show`, `bpftool net`); or send fewer packets a second"}}},
	{"AsymmetricReturn", Inconclusive, "the answer came in by another device, where it is not taken", []Meaning{{"",
		"answers come in by another device than the flow left by. The message says whether this host's kernel takes them " +
			"there: if not, its own connections fail in the same way. If its reverse path filter may be why, that is named",
		"route the way there and back by one device; if the message names `rp_filter`, set that of the device to 2 or 0; " +
			"in a pod: make its routes symmetric"}}},
	{"DeadlineExceeded", Inconclusive, "the run's deadline came before a verdict", []Meaning{{"",
		"the time was over first",
		"`--deadline`, `run.deadlineSeconds`, a higher rate, fewer paths. Confirming a loss takes far more segments " +
			"than a clean path. `Ack` and `Reset` take some 500 a flow, so ask for few variants at a time or allow " +
			"500 packets a second"}}},
	{"ProberFault", Inconclusive, "the prober could not do its work; the message says what failed", []Meaning{{"",
		"the prober could not do its work; the message says what failed",
		"as the message says; then look at the log of the probe pod, or of the command"}}},
	{"ProberKilled", Inconclusive, "the worker or its container was killed", []Meaning{{"",
		"the worker, or its container, was killed. The message says by what, and how many connections may be left",
		"look for a memory limit, an eviction, a person; run again"}}},
}
