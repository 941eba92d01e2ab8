# shellcheck shell=bash
# Starting and removing nodes.

# start_node I PROGRAMS
start_node() {
	make_node_network "$1"
	start_machine "kn$1" "${node_prefix}kn$1" "$here/inside/node.sh" "$1" "$2"
}

# remove_node I kills everything at once, as a power failure does: nothing is shut down in order.
remove_node() {
	end_machine "kn$1"
	remove_node_network "$1"
}

# machine_init NAME prints the PID of the machine's PID 1: the only child of its launcher.
machine_init() {
	local launcher children
	launcher=$(recorded_process "$1") || fail "$1 does not run"
	children=$(<"/proc/$launcher/task/$launcher/children")
	printf '%s\n' "${children% }"
}

apply_nodes() {
	local i
	for i in "$@"; do node_object "$i"; done |
		kubectl apply --server-side --force-conflicts -f - >/dev/null
}

# node_object I prints the fields of the Node that its kubelet does not set. Either may come first.
node_object() {
	cat <<-YAML
		---
		apiVersion: v1
		kind: Node
		metadata:
		  name: kn$1
		spec:
		  podCIDR: $pods4.$1.0/24
		  podCIDRs: ["$pods4.$1.0/24", "$pods6:$1::/64"]
	YAML
}

# wait_for_lease I SINCE waits until the kubelet has renewed the node's lease. Until then, "Ready" may be old.
wait_for_lease() {
	wait_for 120 "the kubelet of kn$1" lease_is_newer "kn$1" "$2"
}

lease_is_newer() {
	local renewed
	renewed=$(kubectl --namespace kube-node-lease get lease "$1" -o jsonpath='{.spec.renewTime}')
	[[ $renewed > $2 ]]
}

# wait_for_nodes I... until they are ready, or one has ended.
wait_for_nodes() {
	local i
	wait_for 120 "nodes ${*/#/kn} to become ready" ready_or_ended "$@"
	for i in "$@"; do
		recorded_process "kn$i" >/dev/null || fail "node kn$i has ended; see $state/log/kn$i.log"
	done
}

ready_or_ended() {
	local i
	for i in "$@"; do recorded_process "kn$i" || return 0; done
	kubectl wait --for=condition=Ready --timeout=1s "${@/#/node/kn}"
}
