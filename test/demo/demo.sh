#!/usr/bin/env bash
# The main job, from nothing: three Kubernetes nodes, the operator, a web server and a probe; then the switch's port
# of one node starts to drop every segment that begins at sequence number 0 and carries PSH, the probe says so, and
# the switch is repaired. Fails if the operator says anything else. KEEP=1 keeps the cluster; one that runs already is
# used and kept.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/../.."

bad_node=kn2
fault=push-at-zero
switch_process=

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# show COMMAND... prints the command as one would type it, and runs it.
show() {
	printf '$ %s\n' "$*"
	"$@"
}

fail() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

clean_up() {
	repair_switch
	[[ $keep ]] || test/cluster/down.sh
}

# break_switch returns once the fault is at work, which its first line says. It lasts as long as its process.
break_switch() {
	local command=(bin/tcpprobe lab switch --netns tcpprobe-switch --port "f$bad_node" --fault "$fault") line
	printf '$ %s &\n' "${command[*]}"
	exec {switch_output}< <(exec "${command[@]}")
	switch_process=$!
	read -r line <&"$switch_output" || fail "the fault could not be attached"
	printf '  %s\n' "$line"
}

repair_switch() {
	[[ $switch_process ]] || return 0
	kill -TERM "$switch_process"
	switch_process=
	sed 's/^/  /' <&"$switch_output" # to its end: the counters
}

# follow_run NUMBER tells how the run goes until it is over.
follow_run() {
	local number=$1 said='' message end=$((SECONDS + 120))
	until [[ $(probe '{.status.lastRun.number}') == "$number" ]]; do
		((SECONDS < end)) || fail "run $number did not end; see: kubectl --namespace shop describe tcpprobe web"
		message=$(probe '{.status.conditions[?(@.type=="Complete")].message}')
		[[ $message == "$said" ]] || printf '  %s\n' "$message"
		said=$message
		sleep 0.5
	done
}

probe() {
	kubectl --namespace shop get tcpprobe web --output "jsonpath=$1"
}

# expect STATUS REASON, of the condition PathHealthy.
expect() {
	local condition='.status.conditions[?(@.type=="PathHealthy")]' found
	found=$(probe "{$condition.status} {$condition.reason}")
	[[ $found == "$1 $2" ]] || fail "PathHealthy is $found, and should be $1 $2"
}

run_again() {
	show kubectl --namespace shop annotate --overwrite tcpprobe web "tcpprobe.dev/run=$1"
	follow_run "$1"
	show kubectl --namespace shop get tcpprobe web
}

keep=${KEEP:-}
if test/cluster/status.sh >/dev/null 2>&1; then
	keep=1
else
	step "Three Kubernetes nodes on this machine"
	test/cluster/up.sh
fi
trap clean_up EXIT
eval "$(test/cluster/status.sh -o env)"

step "The operator, from this checkout"
make image
test/cluster/load.sh dist/tcpprobe-image.tar
go build -buildvcs=false -o bin/ ./cmd/tcpprobe
show kubectl apply -k test/cluster/operator
show kubectl --namespace tcpprobe-system rollout status deployment/manager --timeout=120s

step "A web server on every node"
show kubectl apply -f test/demo/web.yaml
show kubectl --namespace shop rollout status daemonset/web --timeout=120s

step "A probe: all is well"
kubectl --namespace shop delete tcpprobe web --ignore-not-found >/dev/null # of a demo before
show kubectl --namespace shop apply -f config/samples/smallest.yaml
follow_run 1
show kubectl --namespace shop get tcpprobe web
expect True AllPassed

step "The switch starts to drop, on the cable of $bad_node, segments with PSH that begin at sequence number 0"
break_switch
run_again 2
show kubectl --namespace shop get tcpprobe web \
	--output "jsonpath={.status.conditions[?(@.type==\"PathHealthy\")].message}"
printf '\n\nWhat it rests on:\n'
probe '{range .status.findings[0].evidence[*]}  {@}{"\n"}{end}'
expect False SequenceZeroDropped

step "The switch is repaired"
repair_switch
run_again 3
expect True AllPassed

step "Done: healthy, then exactly $bad_node, then healthy."
if [[ $keep ]]; then
	test/cluster/status.sh
fi
