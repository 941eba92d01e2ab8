# shellcheck shell=bash
# The cgroups of the machines: $cgroup/NAME in the one hierarchy of version 2, or in each of version 1.

# cgroup_roots prints the hierarchies that have controllers, and the one that systemd uses for its units.
cgroup_roots() {
	if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
		printf '%s\n' /sys/fs/cgroup
	else
		find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d ! -name unified
	fi
}

make_cgroups() {
	local root
	for root in $(cgroup_roots); do
		mkdir -p "$root/$cgroup/$1"
		if [[ -e $root/cpuset.cpus ]]; then # in version 1 a new cgroup has no processors and no memory
			copy_cpuset "$root" "$root/$cgroup"
			copy_cpuset "$root/$cgroup" "$root/$cgroup/$1"
		elif [[ -e $root/cgroup.subtree_control ]]; then
			delegate "$root"
			delegate "$root/$cgroup"
		fi
	done
}

copy_cpuset() {
	cat "$1/cpuset.cpus" >"$2/cpuset.cpus"
	cat "$1/cpuset.mems" >"$2/cpuset.mems"
}

# delegate FOLDER lets the cgroup's children have every controller that it has itself.
delegate() {
	local controller
	for controller in $(<"$1/cgroup.controllers"); do
		grep -qw "$controller" "$1/cgroup.subtree_control" || printf '+%s' "$controller" >"$1/cgroup.subtree_control"
	done
}

# remove_cgroups NAME once its processes have ended. The kernel needs a moment before a cgroup can be removed.
remove_cgroups() {
	local root end=$((SECONDS + 10))
	for root in $(cgroup_roots); do
		while [[ -d $root/$cgroup/$1 ]]; do
			find "$root/$cgroup/$1" -depth -type d -exec rmdir {} + 2>/dev/null && break
			((SECONDS < end)) || fail "cgroup $root/$cgroup/$1 cannot be removed; its cgroup.procs says who is in it"
			sleep 0.05
		done
		rmdir "$root/$cgroup" 2>/dev/null || true # fails while others are in it
	done
}
