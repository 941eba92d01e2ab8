#!/usr/bin/env bash
# Says whether the cluster runs and how to use it. Exit code 1 if it does not run.
#
#   status.sh [-o json|env]   json for programs; env for shells: eval "$(test/cluster/status.sh -o env)"
source "$(dirname "$0")/lib/all.sh"

# shellcheck disable=SC2016 # $PATH is for the shell that reads it
environment() {
	printf 'export KUBECONFIG=%s\nexport PATH=%s:$PATH\n' "$KUBECONFIG" "$(<"$state/programs")"
}

explain() {
	"$(<"$state/programs")/kubectl" get nodes
	printf '\nTo use it:\n%s\n\n' "$(environment | sed 's/^/  /')"
	printf 'The cable of node I is port fknI in network namespace %s. End the cluster with: make cluster-down\n' "$switch"
}

cluster_runs || fail "no cluster runs; start one with: make cluster-up"
case $* in
"") explain ;;
"-o json") cat "$state/cluster.json" ;;
"-o env") environment ;;
*) fail "usage: status.sh [-o json|env]" ;;
esac
