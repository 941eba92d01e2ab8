#!/usr/bin/env bash
# Runs a command inside node I: node-exec.sh 2 ctr --namespace k8s.io containers list
source "$(dirname "$0")/lib/all.sh"

init=$(machine_init "kn$1")
shift
exec nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup -- "$@"
