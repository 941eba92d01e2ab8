package run

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// Kinds of devices that tell what the network sees of a segment that is sent through them. A veth, as most pods have
// one, tells nothing: what is behind it, the node decides.
var (
	tunnels = []string{"vxlan", "geneve", "ipip", "ip6tnl", "sit", "gre", "gretap", "ip6gre", "ip6gretap", "erspan",
		"ip6erspan", "wireguard", "vti", "vti6", "xfrm"}
	// hardware, and what puts its frames on it as they are
	onLinks = []string{"device", "bond", "team", "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"}
)

// pathType is what is known of the way from node to the target by this route.
func pathType(t plan.Target, node string, r wire.Route) report.PathType {
	switch {
	case t.Node != "" && t.Node == node, r.Loopback:
		return report.SameNode
	case t.Via == "ClusterIP": // whoever answers, and from where, the node decides
		return report.Unknown
	case slices.Contains(tunnels, r.Kind):
		return report.Overlay
	case slices.Contains(onLinks, r.Kind):
		return report.Routed
	}
	return report.Unknown
}
