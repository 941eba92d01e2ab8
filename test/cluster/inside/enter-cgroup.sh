#!/usr/bin/env bash
# PID 1 of a machine, first step: enters the machine's cgroup and makes it the root of a cgroup namespace. The launcher outside
# stays where it was, or version 2 would not let the machine hand out controllers.
source "$(dirname "$0")/../lib/settings.sh"
source "$here/lib/cgroups.sh"

name=$1
shift
for root in $(cgroup_roots); do
	echo 0 >"$root/$cgroup/$name/cgroup.procs" # 0 is oneself
done
exec unshare --cgroup "$@"
