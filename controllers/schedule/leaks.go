package schedule

import "github.com/tcpprobe/tcpprobe/api/v1alpha1"

// LeavesConnections reports whether a recurring TCPProbe has left so many connections at its targets that it stops. A
// new spec or run annotation lets it go on.
func LeavesConnections(probe *v1alpha1.TCPProbe) bool {
	return Interval(probe) > 0 && LastRunIsCurrent(probe) && probe.Status.LeakedFlows >= v1alpha1.MaxLeakedFlows
}
