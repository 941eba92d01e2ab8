# shellcheck shell=bash
# A machine: one program with its descendants in namespaces of their own (network, mount, UTS, IPC, PID, cgroup). Its
# launcher is recorded as "PID START-TIME" before it starts anything, and the kernel ends all the others with it. So
# even if these scripts are killed, exactly what they started can be found and ended.

# recorded_process NAME prints the process of the record if that very process still lives: same PID, same start time.
recorded_process() {
	local pid start
	[[ -e $state/run/$1 ]] || return 1
	read -r pid start <"$state/run/$1" || return 1
	[[ $(start_time "$pid") == "$start" ]] && printf '%s\n' "$pid"
}

# start_time PID: field 22 of its stat, counted behind the name, which may hold blanks. Nothing for a zombie.
start_time() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	read -ra stat <<<"${stat##*) }"
	[[ ${stat[0]} == Z ]] || printf '%s\n' "${stat[19]}"
}

# launch NAME COMMAND... in the background. The child holds the cluster's lock until its record is written. So down.sh
# cannot run in between and miss it.
launch() {
	local name=$1 pid
	shift
	(
		pid=$BASHPID
		printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$state/run/$name"
		exec {lock}>&-
		exec setsid "$@"
	) >"$state/log/$name.log" 2>&1 </dev/null &
}

# start_machine NAME NETNS SCRIPT [ARGUMENT...] runs the script as PID 1 of new namespaces, in a cgroup of its own.
start_machine() {
	local name=$1 netns=$2
	shift 2
	make_cgroups "$name"
	launch "$name" nsenter --net="/run/netns/$netns" \
		unshare --mount --uts --ipc --pid --fork --kill-child --mount-proc --propagation private \
		"$here/inside/enter.sh" "$name" "$@"
}

# end_machine NAME ends the recorded process, and by that its machine, and waits for it.
end_machine() {
	local pid end=$((SECONDS + 20))
	while pid=$(recorded_process "$1"); do
		kill -KILL "$pid" 2>/dev/null || true
		((SECONDS < end)) || fail "process $pid of $1 does not end; look at /proc/$pid/stack"
		sleep 0.05
	done
	remove_cgroups "$1"
	rm -f "$state/run/$1"
}
