package run

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/route"
)

// Kinds of devices from which the path type is known. A veth, which most pods have, is not among them: the node decides
// how to forward what comes through it.
var (
	tunnels = []string{"vxlan", "geneve", "ipip", "ip6tnl", "sit", "gre", "gretap", "ip6gre", "ip6gretap", "erspan",
		"ip6erspan", "wireguard", "vti", "vti6", "xfrm"}
	// hardware, and devices that send frames unchanged through hardware
	onLinks = []string{"device", "bond", "team", "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"}
)

// pathType returns what is known of the path type from node to the target by this route.
func pathType(t plan.Target, node string, r route.Route) report.PathType {
	switch {
	case t.Node != "" && t.Node == node, r.Loopback:
		return report.SameNode
	case t.Via == "ClusterIP": // the node decides which pod gets the connection
		return report.Unknown
	case slices.Contains(tunnels, r.Kind):
		return report.Overlay
	case slices.Contains(onLinks, r.Kind):
		return report.Routed
	}
	return report.Unknown
}
