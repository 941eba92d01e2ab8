#!/usr/bin/env bash
# Runs a command inside node I: node-exec.sh 2 ctr --namespace k8s.io containers list
source "$(dirname "$0")/lib/all.sh"

launcher=$(recorded_process "kn$1") || fail "node kn$1 does not run"
shift
init=$(<"/proc/$launcher/task/$launcher/children") # its only child, PID 1 of the node
exec nsenter --target "${init% }" --mount --uts --ipc --net --pid --cgroup -- "$@"
