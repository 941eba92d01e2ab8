#!/usr/bin/env bash
# PID 1 of a machine: what every machine needs. Arguments: its name, the script that it runs next.
source "$(dirname "$0")/../lib/settings.sh"
source "$here/lib/cgroups.sh"

# This mount namespace has copies of the mounts of the other machines' network namespaces. They would keep those alive.
for netns in "$state"/netns/*; do umount "$netns" 2>/dev/null || true; done

# The cgroup of this machine becomes the root of a cgroup namespace. The launcher stays outside: a cgroup of version 2
# that has processes cannot give controllers to its children.
name=$1
shift
for root in $(cgroup_roots); do
	echo 0 >"$root/$cgroup/$name/cgroup.procs" # 0 is the writing process
done
exec unshare --cgroup "$@"
