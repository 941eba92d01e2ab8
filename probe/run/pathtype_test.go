package run

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/route"
)

func TestPathTypes(t *testing.T) {
	for _, c := range []struct {
		target plan.Target
		route  route.Route
		want   report.PathType
	}{
		{plan.Target{Node: "kn2"}, route.Route{Kind: "vxlan"}, report.Overlay},
		{plan.Target{}, route.Route{Kind: "wireguard"}, report.Overlay},
		{plan.Target{Node: "kn2"}, route.Route{Kind: "device"}, report.Routed},
		{plan.Target{Node: "kn2"}, route.Route{Kind: "bond"}, report.Routed},
		{plan.Target{Via: "ClusterIP"}, route.Route{Kind: "bond"}, report.Unknown},
		{plan.Target{Via: "ClusterIP", Node: "kn1"}, route.Route{Kind: "bond"}, report.SameNode},
		{plan.Target{Node: "kn2"}, route.Route{Kind: "veth"}, report.Unknown},
		{plan.Target{Node: "kn2"}, route.Route{Kind: "tuntap"}, report.Unknown},
		{plan.Target{Node: "kn2"}, route.Route{}, report.Unknown}, // no route
		{plan.Target{Node: "kn1"}, route.Route{Kind: "vxlan"}, report.SameNode},
		{plan.Target{}, route.Route{Kind: "device", Loopback: true}, report.SameNode},
	} {
		if got := pathType(c.target, "kn1", c.route); got != c.want {
			t.Errorf("to %q by %q: %s; want %s", c.target.Node, c.route.Kind, got, c.want)
		}
	}
}
