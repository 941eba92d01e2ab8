# shellcheck shell=bash
# The overlay: pods reach those of other nodes in VXLAN between the nodes, so that the switch sees UDP and not their
# segments. Without it, which is the default, nodes route pods' addresses to each other through the switch as they are.

readonly vni=42 vxlan_port=4789
tunnel4=10.252.0 tunnel6=fd00:10:252:: # the tunnels' own ends: node I is 1I
tunnel_header=70                       # IPv6, UDP, VXLAN and Ethernet; pods keep their MTU, the cables get a larger one

tunnel_hardware_address() { hardware_address "$tunnel4.1$1"; }

# add_overlay I adds the node's VXLAN device. Forwarding table and neighbours are static, as with a network
# plugin that knows them from the API server.
add_overlay() {
	local i=$1 netns=${node_prefix}kn$1 j
	ip -n "$switch" link set "fkn$i" mtu $((1500 + tunnel_header))
	ip -n "$netns" link set fab0 mtu $((1500 + tunnel_header))
	ip -n "$netns" link add vxlan0 mtu 1500 address "$(tunnel_hardware_address "$i")" type vxlan \
		id "$vni" dstport "$vxlan_port" local "$fabric4.1$i" dev fab0 nolearning
	ip -n "$netns" link set vxlan0 up
	ip -n "$netns" address add "$tunnel4.1$i/24" dev vxlan0
	ip -n "$netns" address add "${tunnel6}1$i/64" dev vxlan0 nodad
	for j in "${nodes[@]}"; do
		((j == i)) && continue
		bridge -n "$netns" fdb append "$(tunnel_hardware_address "$j")" dev vxlan0 dst "$fabric4.1$j"
		ip -n "$netns" neighbour replace "$tunnel4.1$j" lladdr "$(tunnel_hardware_address "$j")" dev vxlan0 nud permanent
		ip -n "$netns" neighbour replace "${tunnel6}1$j" lladdr "$(tunnel_hardware_address "$j")" dev vxlan0 nud permanent
	done
	route_pods "$i" "$tunnel4" "$tunnel6"
}

# remove_overlay I removes it again: pods are routed through the switch as they are.
remove_overlay() {
	route_pods "$1" "$fabric4" "$fabric6"
	ip -n "${node_prefix}kn$1" link delete vxlan0
	ip -n "${node_prefix}kn$1" link set fab0 mtu 1500
	ip -n "$switch" link set "fkn$1" mtu 1500
}
