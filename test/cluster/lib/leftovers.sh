# shellcheck shell=bash
# Removing a cluster, complete or as a crash has left it.

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

# After a restart of the machine nothing runs any more, and the recorded PIDs may be those of other processes.
forget_records_of_another_boot() {
	[[ ! -e $state/boot || $(<"$state/boot") == $(</proc/sys/kernel/random/boot_id) ]] || rm -rf "$state/run"
}

# cluster_runs succeeds if up.sh has finished and the control plane runs. A node may be down.
cluster_runs() {
	local name
	[[ -e $state/cluster.json ]] || return 1
	forget_records_of_another_boot
	for name in forward control-plane; do
		recorded_process "$name" >/dev/null 2>&1 || return 1
	done
}

# take_lock lets only one of these scripts run at a time. It locks a folder, so that no lock file stays behind. Children
# of a script that was killed may hold the lock a little longer.
take_lock() {
	exec {lock}</var/lib
	flock --nonblock "$lock" && return
	say "Another cluster script is at work on this machine; waiting for it."
	flock --timeout 1800 "$lock" || fail "it is still at work after half an hour; look for it with: fuser -v /var/lib"
}
