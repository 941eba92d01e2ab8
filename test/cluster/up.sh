#!/usr/bin/env bash
# Starts the cluster: a control plane and three nodes, each a machine (lib/machine.sh). Takes seconds, except for the
# first time, which builds Kubernetes.
source "$(dirname "$0")/lib/all.sh"

((EUID == 0)) || fail "needs root: it makes network namespaces and mounts"
take_lock
if cluster_runs; then
	fail "one runs already. Use it (make cluster-status says how) or end it: make cluster-down"
fi
[[ ! -e $state ]] || say "Removing what an earlier cluster left."
remove_cluster
programs=$("$here/build.sh")
PATH=$programs:$PATH

prepare() {
	mkdir -p "$state"/{run,log,pki,images,bin}
	chmod 700 "$state"
	cp /proc/sys/kernel/random/boot_id "$state/boot"
	printf '%s' "$programs" >"$state/programs"
	[[ -e /proc/sys/net/bridge ]] || modprobe br_netfilter || fail "this kernel has no br_netfilter, which Services need"
	(cd "$top" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$state/bin/" \
		./test/cluster/{tools/pki,tools/forward,images/pause,images/web})
	local name
	for name in pause web; do
		go -C "$top/build" run ./image -name "tcpprobe.dev/$name:test" -output "$state/images/$name.tar" \
			"linux/$(go env GOARCH)=$state/bin/$name"
	done
}

write_credentials() {
	local i node_addresses=()
	for i in "${nodes[@]}"; do node_addresses+=("kn$i=$management4.1$i,${management6}1$i"); done
	"$state/bin/pki" -folder "$state/pki" -server "https://$management4.1:$api_port" \
		-names "127.0.0.1,$management4.1,${management6}1,$kubernetes_service" "${node_addresses[@]}"
}

# start_forward makes the API server reachable at a loopback port, so that kubectl and tests need no namespace.
start_forward() {
	launch forward "$state/bin/forward" -netns "/run/netns/$control_plane" -to "127.0.0.1:$api_port" \
		-write "$state/address"
	wait_for 10 "the forward to the API server" test -e "$state/address"
	cp "$state/pki/admin.kubeconfig" "$KUBECONFIG"
	kubectl config set clusters.tcpprobe-test.server "https://$(<"$state/address")" >/dev/null
}

register() {
	wait_for 120 "the API server" kubectl get --raw /readyz
	apply_nodes "${nodes[@]}"
	kubectl create clusterrolebinding tcpprobe-test:kube-proxy --clusterrole=system:node-proxier \
		--user=system:kube-proxy >/dev/null
}

# describe prints as JSON what status.sh tells in words.
describe() {
	local i comma=
	printf '{"kubeconfig": "%s", "programs": "%s", "audit": "%s", "switch": "%s", "nodes": [' \
		"$KUBECONFIG" "$programs" "$state/log/audit.log" "$switch"
	for i in "${nodes[@]}"; do
		printf '%s{"name": "kn%s", "netns": "%skn%s", "port": "fkn%s"}' "$comma" "$i" "$node_prefix" "$i" "$i"
		comma=', '
	done
	printf ']}\n'
}

say "Preparing: programs, credentials, images."
prepare
write_credentials
say "Starting the control plane."
make_core_network
start_machine control-plane "$control_plane" "$here/inside/control-plane.sh" "$programs"
start_forward
say "Starting ${#nodes[@]} nodes."
for i in "${nodes[@]}"; do start_node "$i" "$programs"; done
register
wait_for_nodes "${nodes[@]}"
wait_for 60 "the default service account" kubectl --namespace default get serviceaccount default
describe >"$state/cluster.json.new"
mv "$state/cluster.json.new" "$state/cluster.json"
say "The cluster is up after $SECONDS seconds."
"$here/status.sh"
