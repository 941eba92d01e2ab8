# shellcheck shell=bash
# What a node sees of the file system: the machine's own root, with /sys, the cgroups, /run, /var/lib and /var/log of
# the node's own.

# mount_node FOLDER PROGRAMS mounts all that. The cluster's folder becomes /run/cluster and that of the programs
# /run/programs.
mount_node() {
	local folder=$1 programs=$2 roots
	mkdir -p "$folder"/{lib/kubelet,lib/containerd,log,sysctl}
	mapfile -t roots < <(cgroup_roots)
	mount -t sysfs sysfs /sys
	mount_cgroups "${roots[@]}"
	mount -t bpf bpf /sys/fs/bpf

	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir /run/cluster /run/programs
	mount --bind "$state" /run/cluster
	mount --bind "$programs" /run/programs
	mount --bind "$folder/log" /var/log
	mount --bind "$folder/lib" /var/lib
	mask_sysctls /run/cluster/"${folder##*/}"/sysctl
	mount --make-rshared / # for pods that ask for mount propagation; still private towards the machine
}

mount_cgroups() {
	if [[ $1 == /sys/fs/cgroup ]]; then
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		# A cgroup of version 2 that has processes cannot give controllers to its children.
		mkdir -p /sys/fs/cgroup/init
		echo 0 >/sys/fs/cgroup/init/cgroup.procs
		delegate /sys/fs/cgroup
		return
	fi
	local root controller
	mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
	for root in "$@"; do
		controller=${root##*/}
		mkdir "$root"
		[[ $controller != systemd ]] || controller=none,name=systemd
		mount -t cgroup -o "$controller" cgroup "$root"
	done
}

# mask_sysctls FOLDER: the kubelet wants to change sysctls of the whole machine. It gets files instead, which have the
# wanted values already.
mask_sysctls() {
	mask() {
		echo "$2" >"$folder/${1##*/}"
		mount --bind "$folder/${1##*/}" "$1"
	}
	local folder=$1
	mask /proc/sys/vm/overcommit_memory 1
	mask /proc/sys/vm/panic_on_oom 0
	mask /proc/sys/kernel/panic 10
	mask /proc/sys/kernel/panic_on_oops 1
	mask /proc/sys/kernel/keys/root_maxkeys 1000000
	mask /proc/sys/kernel/keys/root_maxbytes 25000000
}
