#!/usr/bin/env bash
# PID 1 of a machine, first step: what belongs to every machine. Arguments: its name, the script to go on with.
source "$(dirname "$0")/../lib/settings.sh"
source "$here/lib/cgroups.sh"

# Our copies of the other machines' network namespaces would keep those alive when they end.
for netns in "$state"/netns/*; do umount "$netns" 2>/dev/null || true; done

# Our cgroup becomes the root of a cgroup namespace. The launcher outside stays where it was, or version 2 would not
# let us hand out controllers.
name=$1
shift
for root in $(cgroup_roots); do
	echo 0 >"$root/$cgroup/$name/cgroup.procs" # 0 is oneself
done
exec unshare --cgroup "$@"
