package limits

import "fmt"

// What one namespace holds never exceeds what it leaves free (dynamic thresholds: Choudhury, Hahne, IEEE/ACM
// Transactions on Networking 6(2), 1998). So one that takes all it can has half, the next a third of it all, and there
// is always room for one that has nothing yet: nobody has to end first.

// shareUsed reports that the namespace may have no further pod.
func (c Caps) shareUsed(o Occupancy, namespace string) bool {
	return o.of(namespace).Total >= c.Total-o.Total
}

// nodeShareUsed reports that the namespace may have no further pod on the node.
func (c Caps) nodeShareUsed(o Occupancy, namespace, node string) bool {
	return o.of(namespace).ByNode[node] >= c.PerNode-o.ByNode[node]
}

// sharedPackets names the packets of which a namespace with this load more would leave less than it has. It is "" if
// there are none, and for the namespace's first load.
func (c Caps) sharedPackets(o Occupancy, namespace, node string, l Load) string {
	held := o.of(namespace)
	if has := held.FromNode[node]; has > 0 && exceedsShare(c.NodePackets, o.FromNode[node], has, l.PerSecond()) {
		return fmt.Sprintf("this namespace's packets a second from one node (half of %d at most)", c.NodePackets)
	}
	for key, times := range l.times() {
		has := held.ToTarget[key]
		if has > 0 && exceedsShare(c.TargetPackets, o.ToTarget[key], has, times*l.Rate) {
			return fmt.Sprintf("this namespace's packets a second to one target (half of %d at most)", c.TargetPackets)
		}
	}
	return ""
}

// exceedsShare reports whether a namespace that holds some of what all have taken would hold more than is left.
func exceedsShare(total, taken, held, more int) bool { return held+more > total-taken-more }

// nodeShare and targetShare are the most packets a second that the pod of one run may send.
func (c Caps) nodeShare() int   { return c.NodePackets / 2 }
func (c Caps) targetShare() int { return c.TargetPackets / 2 }
