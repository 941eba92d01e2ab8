# shellcheck shell=bash
# Removing a cluster, whole or in any half-made state a crash has left.

remove_cluster() {
	local i name ending=()
	forget_records_of_another_boot
	for name in forward control-plane "${nodes[@]/#/kn}"; do
		end_machine "$name" &
		ending+=($!)
	done
	for i in "${ending[@]}"; do wait "$i"; done
	for i in "${nodes[@]}"; do remove_netns "${node_prefix}kn$i"; done
	remove_netns "$switch"
	remove_netns "$control_plane"
	rm -rf "$state"
}

# A PID and a start time mean nothing after a restart of the machine, which has ended everything by itself.
forget_records_of_another_boot() {
	[[ ! -e $state/boot || $(<"$state/boot") == $(</proc/sys/kernel/random/boot_id) ]] || rm -rf "$state/run"
}

# cluster_runs: up came to its end and the control plane still lives. Nodes come and go.
cluster_runs() {
	local name
	[[ -e $state/cluster.json ]] || return 1
	forget_records_of_another_boot
	for name in forward control-plane; do
		recorded_process "$name" >/dev/null 2>&1 || return 1
	done
}

# take_lock: one of these scripts at a time. The lock is a folder's, so that no lock file stays behind. Short-lived
# children of a script that was killed may hold it a little longer.
take_lock() {
	exec {lock}</var/lib
	flock --nonblock "$lock" && return
	say "Another cluster script is at work on this machine; waiting for it."
	flock --timeout 1800 "$lock" || fail "it is still at work after half an hour; look for it with: fuser -v /var/lib"
}
