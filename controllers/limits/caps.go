package limits

// Caps bound what all TCPProbes do together: how many probe pods there are at once, and what these may send.
type Caps struct {
	Total         int // pods in the whole cluster
	PerProbe      int // pods of one TCPProbe
	PerNode       int // pods on one node
	PerSecond     int // pods created
	NodePackets   int // packets a second from one node
	TargetPackets int // packets a second to one target: a pod, or an address that no pod is known behind
}

// DefaultCaps hold unless flags of the manager set others.
var DefaultCaps = Caps{Total: 200, PerProbe: 50, PerNode: 5, PerSecond: 20, NodePackets: 30_000, TargetPackets: 10_000}

// SlowestProbe is the minimum of spec.packetsPerSecond.
const SlowestProbe = 10
