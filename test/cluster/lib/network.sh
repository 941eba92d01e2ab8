# shellcheck shell=bash
# The networks. All bridges and cables (veth pairs) are made in network namespaces of the cluster. The machine's own
# namespace gets none.
#
#   control plane ── bridge mgmt0 ══ mknI ── mgmt0 in node I        API traffic
#   switch        ── bridge br0   ══ fknI ── fab0  in node I        pod traffic between nodes: fknI is node I's cable

# make_netns NAME makes a network namespace without "ip netns add". That command mounts /run/netns over itself, which
# hides mounts made there before. So our mounts are in a folder of the cluster. /run/netns gets a link only, by which
# "ip -n NAME" and --netns NAME find them.
make_netns() {
	mkdir -p "$state/netns" /run/netns
	touch "$state/netns/$1"
	unshare --net="$state/netns/$1" true
	ln -s "$state/netns/$1" "/run/netns/$1"
	# Nobody else has these addresses: duplicate address detection would only take a second. There is no router either.
	nsenter --net="/run/netns/$1" sysctl -q \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0
	ip -n "$1" link set lo up
}

# make_bridge NETNS NAME makes a bridge without multicast snooping, which would block neighbour discovery while there is
# no querier.
make_bridge() {
	ip -n "$1" link add "$2" type bridge mcast_snooping 0
	ip -n "$1" link set "$2" up
}

# plug NETNS BRIDGE PORT NODE-NETNS DEVICE ADDRESS4 ADDRESS6 lays a cable from a bridge to a node.
plug() {
	ip -n "$1" link add "$3" type veth peer name "$5" address "$(hardware_address "$6")" netns "$4"
	ip -n "$1" link set "$3" master "$2" up
	ip -n "$4" link set "$5" up
	ip -n "$4" address add "$6/24" dev "$5"
	ip -n "$4" address add "$7/64" dev "$5" nodad
}

# hardware_address IPV4: a node that starts again has the network card it had. With another, its neighbours would send
# to the old one for up to ten seconds.
hardware_address() {
	local bytes
	IFS=. read -ra bytes <<<"$1"
	printf '02:00:%02x:%02x:%02x:%02x' "${bytes[@]}"
}

make_core_network() {
	make_netns "$control_plane"
	make_bridge "$control_plane" mgmt0
	ip -n "$control_plane" address add "${management4}.1/24" dev mgmt0
	ip -n "$control_plane" address add "${management6}1/64" dev mgmt0 nodad
	make_netns "$switch"
	make_bridge "$switch" br0
}

make_node_network() {
	local i=$1 netns=${node_prefix}kn$1
	make_netns "$netns"
	plug "$control_plane" mgmt0 "mkn$i" "$netns" mgmt0 "$management4.1$i" "${management6}1$i"
	plug "$switch" br0 "fkn$i" "$netns" fab0 "$fabric4.1$i" "${fabric6}1$i"
	# Like any node it has a default route. The control plane forwards nothing, so an unknown address never answers.
	ip -n "$netns" route add default via "$management4.1"
	ip -n "$netns" route add default via "${management6}1"
	route_pods "$i" "$fabric4" "$fabric6"
	[[ ! -e $state/overlay ]] || add_overlay "$i"
	# From the API server to pods: webhooks, aggregated APIs, and the answers to pods that call it.
	ip -n "$control_plane" route replace "$pods4.$i.0/24" via "$management4.1$i"
	ip -n "$control_plane" route replace "$pods6:$i::/64" via "${management6}1$i"
}

# route_pods I NETWORK4 NETWORK6: to the pods of the other nodes, through these nodes' addresses in this network.
route_pods() {
	local netns=${node_prefix}kn$1 j
	for j in "${nodes[@]}"; do
		((j == $1)) && continue
		ip -n "$netns" route replace "$pods4.$j.0/24" via "$2.1$j"
		ip -n "$netns" route replace "$pods6:$j::/64" via "${3}1$j"
	done
}

# remove_node_network I removes the cables first, by their ends at the bridges: the kernel removes what is in a
# namespace later, in the background.
remove_node_network() {
	unplug "$control_plane" "mkn$1"
	unplug "$switch" "fkn$1"
	remove_netns "${node_prefix}kn$1"
}

unplug() {
	[[ ! -e /run/netns/$1 ]] || ip -n "$1" link delete "$2" 2>/dev/null || true
}

remove_netns() {
	# After a crash it may be a file and no mount. --lazy: another process may have it open.
	umount --lazy "$state/netns/$1" 2>/dev/null || true
	rm -f "$state/netns/$1" "/run/netns/$1"
}
