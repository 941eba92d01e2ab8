//go:build net

package hosts_test

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/lab"
)

// hosts are all hosts of the matrix. What is not said is as on a healthy host.
var hosts = slices.Concat(kernels, limits, filters, paths, applications)

// kernels are settings of the server's kernel under which a connection works as ever.
var kernels = []host{
	{name: "SYN cookies for all", sample: true, onServer: sysctl("net.ipv4.tcp_syncookies=2")},
	{name: "no SYN cookies", onServer: sysctl("net.ipv4.tcp_syncookies=0")},
	{name: "no SACK", onServer: sysctl("net.ipv4.tcp_sack=0")},
	{name: "no DSACK", onServer: sysctl("net.ipv4.tcp_dsack=0")},
	{name: "no timestamps", onServer: sysctl("net.ipv4.tcp_timestamps=0")},
	{name: "no window scaling", onServer: sysctl("net.ipv4.tcp_window_scaling=0")},
	{name: "none of these", sample: true, onServer: sysctl("net.ipv4.tcp_sack=0", "net.ipv4.tcp_timestamps=0",
		"net.ipv4.tcp_window_scaling=0")},
	{name: "small receive buffer", onServer: sysctl("net.ipv4.tcp_rmem='4096 4096 4096'")},
	{name: "one challenge ACK a second", onServer: sysctl("net.ipv4.tcp_challenge_ack_limit=1")},
	{name: "few answers to invalid segments", onServer: sysctl("net.ipv4.tcp_invalid_ratelimit=60000")},
	{name: "RFC 1337", sample: true, onServer: sysctl("net.ipv4.tcp_rfc1337=1")},
	{name: "ECN", onServer: sysctl("net.ipv4.tcp_ecn=1")},
}

// limits are rules of the server's host about how many SYNs or connections a client may have.
var limits = []host{
	{name: "2 SYNs a second", onServer: rule("input", syn+"limit rate over 2/second burst 1 packets drop"),
		right: answers{handshake: "Established|ConnectionLimit|SynLimited|QueueFullOrSynFiltered", wrap: "Delivered|PathDown",
			mtu: "SizesArrived|PathDown", queue: "SynLimited|QueueOrLimit",
			stalled: "SynLimited|QueueOrLimit|QueueOverflowed"}},
	{name: "20 SYNs a second", onServer: rule("input", syn+"limit rate over 20/second burst 5 packets drop"),
		right: answers{queue: "NotReached|SynLimited|QueueOrLimit"}},
	{name: "3 connections, else RST", sample: true,
		onServer: rule("input", connections("3")+"reject with tcp reset", clients),
		right:    answers{handshake: "ConnectionLimit", queue: "SynLimited", stalled: "QueueOrLimit|QueueOverflowed"}},
	{name: "10 connections, else RST", onServer: rule("input", connections("10")+"reject with tcp reset", clients),
		right: answers{handshake: "Established|ConnectionLimit", queue: "SynLimited"}},
	{name: "3 connections, else silence", onServer: rule("input", connections("3")+"drop", clients),
		right: answers{handshake: "Established|ConnectionLimit", queue: "SynLimited|QueueOrLimit",
			stalled: "QueueOrLimit|QueueOverflowed"}},
	{name: "first SYN of each port lost", onServer: rule("input",
		syn+"tcp sport != @ports add @ports { tcp sport } drop", ports),
		right: answers{handshake: "SynLost", queue: "SynLimited|QueueOrLimit"}},
}

// filters are rules of firewalls, the server's and the client's own.
var filters = []host{
	{name: "all SYNs dropped", onServer: rule("input", syn+"drop"),
		right: answers{handshake: "QueueFullOrSynFiltered", wrap: "PathDown", mtu: "PathDown", idle: "PathDown",
			fin: "PathDown", queue: "PathDown", stalled: "PathDown"}},
	{name: "all SYNs answered by RST", sample: true, onServer: rule("input", syn+"reject with tcp reset"),
		right: answers{handshake: "Refused", wrap: "PathDown", mtu: "PathDown", idle: "PathDown", fin: "PathDown",
			queue: "PathDown", stalled: "PathDown"}},
	{name: "all SYNs answered by ICMP", onServer: rule("input", syn+"reject with icmpx admin-prohibited"),
		right: answers{handshake: "Unreachable", wrap: "PathDown", mtu: "PathDown", idle: "PathDown",
			fin: "PathDown", queue: "PathDown", stalled: "PathDown"}},
	{name: "drops RSTs that come in", onServer: rule("input", toServers+"tcp flags & rst == rst drop"),
		leaves: true, right: answers{stalled: "QueueOrLimit"}},
	{name: "sends no RST", onServer: rule("output", fromServers+"tcp flags & rst == rst drop"),
		right: answers{stalled: "QueueOrLimit"}},
	{name: "drops FINs that come in", sample: true, onServer: rule("input", toServers+"tcp flags & fin == fin drop"),
		right: answers{fin: "PathDown"}},
	{name: "sends no FIN", onServer: rule("output", fromServers+"tcp flags & fin == fin drop"),
		right: answers{fin: "PeerDidNotClose"}},
	{name: "drops segments with PSH", onServer: rule("input", toServers+"tcp flags & psh == psh drop"),
		right: answers{wrap: "PathDown", mtu: "PathDown", fin: "PathDown", queue: "?PathDown|DeadlineExceeded",
			stalled: "?PathDown|DeadlineExceeded"}},
	{name: "drops segments with timestamps", sample: true,
		onServer: rule("input", toServers+"tcp option timestamp exists drop")},
	{name: "drops short segments", onServer: rule("input",
		toServers+"meta length < 90 tcp flags & (syn|rst|fin) == 0 drop"),
		right: answers{handshake: "AckLostOrQueueFull", wrap: "?DeadlineExceeded|PathDown",
			mtu: "?DeadlineExceeded|PathDown", idle: "?DeadlineExceeded|PathDown", fin: "PathDown|PathLossy",
			queue: "PathDown", stalled: "PathDown"}},
	{name: "client's firewall drops what leaves", sample: true, onClient: rule("output", toServers+"drop")},
	{name: "client's firewall drops what comes in", onClient: rule("input", fromServers+"drop")},
}

// paths are networks between client and server.
var paths = []host{
	{name: "firewall that drops what it does not know", topology: lab.FirewallDrop},
	{name: "firewall that rejects it by RST", sample: true, topology: lab.FirewallReject},
	{name: "DNAT", topology: lab.DNAT},
	{name: "masquerading with random ports", topology: lab.DNAT, onRouter: "nft -f - <<'end'\n" +
		"table inet nat { chain c { type nat hook postrouting priority srcnat; masquerade random\n}\n}\nend"},
	{name: "MSS lowered to 536", sample: true, topology: lab.DNAT, onRouter: rule("forward",
		"tcp flags syn tcp option maxseg size set 536")},
	{name: "takes timestamps away", topology: lab.DNAT, onRouter: rule("forward", "reset tcp option timestamp")},
	{name: "takes SACK away", sample: true, topology: lab.DNAT,
		onRouter: rule("forward", "tcp flags syn reset tcp option sack-perm")},
	{name: "MTU 1400, said by ICMP", sample: true, topology: lab.DNAT, onRouter: "ip link set server mtu 1400",
		right: answers{mtu: "PathMTUSignaled"}},
	{name: "MTU 1400, not said", topology: lab.DNAT, onRouter: "ip link set server mtu 1400\n" + rule("output",
		"icmp type destination-unreachable drop; icmpv6 type packet-too-big drop"),
		right: answers{mtu: "PathMTUBlackhole"}},
	{name: "200 ms each way", faults: []string{"delay=200ms"}},
	{name: "5 % lost each way", sample: true, faults: []string{"loss=5%"}},
	{name: "20 % lost each way", faults: []string{"loss=20%"},
		right: answers{wrap: "Delivered|KernelDisagrees|PathLossy"}},
	{name: "bursts of loss", faults: []string{"burst=5%/50ms"}},
	{name: "reorders a tenth", faults: []string{"reorder=10%"}},
	{name: "doubles a tenth", faults: []string{"duplicate=10%"}},
	{name: "switch that drops PSH at 0", sample: true, faults: []string{"push-at-zero"},
		right: answers{wrap: "SequenceZeroDropped"}},
	{name: "switch that drops FIN at 0", faults: []string{"fin-at-zero"}},
	{name: "switch that drops what was acknowledged", faults: []string{"drop-old"},
		right: answers{idle: "?NoProofOfLife", stalled: "QueueOrLimit"}},
}

// applications are habits of servers.
var applications = []host{
	{name: "reads and is silent", server: lab.Sink,
		right: answers{idle: "PeerKeepsAlive"}},
	{name: "speaks first", sample: true, server: lab.Banner,
		right: answers{idle: "PeerKeepsAlive"}},
	{name: "closes after the first bytes", sample: true, server: lab.BadRequest,
		right: answers{wrap: "PeerReset", mtu: "PeerReset", idle: "PeerKeepsAlive"}},
	{name: "closes at once", sample: true, server: lab.CloseOnAccept,
		right: answers{wrap: "PeerReset", mtu: "PeerReset", idle: "PeerClosed"}},
	{name: "shuts down at once and reads on", server: lab.HalfClose,
		right: answers{idle: "PeerClosed"}},
	{name: "accepts only with data", server: lab.Deferred,
		right: answers{idle: "PeerKeepsAlive"}},
	{name: "does not accept", server: lab.NeverAccepts,
		right: answers{handshake: "QueueFullOrSynFiltered", wrap: "PathDown", mtu: "PathDown", idle: "PathDown"}},
}
