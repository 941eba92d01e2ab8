#!/usr/bin/env bash
# Starts node I again after node-crash.sh.
source "$(dirname "$0")/lib/all.sh"

take_lock
cluster_runs || fail "no cluster runs"
if recorded_process "kn$1" >/dev/null; then
	say "Node kn$1 runs."
	exit
fi
programs=$(<"$state/programs")
PATH=$programs:$PATH
since=$(date --utc +%FT%T.%6NZ)
start_node "$1" "$programs"
apply_nodes "$1" # somebody may have deleted it
wait_for_lease "$1" "$since"
wait_for_nodes "$1"
say "Node kn$1 is ready again."
