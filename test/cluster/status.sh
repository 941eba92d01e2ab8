#!/usr/bin/env bash
# Says whether the cluster runs and how to use it; "-o json" for programs. Exit code 1 if it does not run.
source "$(dirname "$0")/lib/all.sh"

cluster_runs || fail "no cluster runs; start one with: make cluster-up"
if [[ $* == "-o json" ]]; then
	cat "$state/cluster.json"
	exit
fi
programs=$(sed 's/.*"programs": "\([^"]*\)".*/\1/' "$state/cluster.json")
"$programs/kubectl" get nodes
cat <<TXT

To use it:
  export KUBECONFIG=$KUBECONFIG
  export PATH=$programs:\$PATH

The cable of node I is port fknI in network namespace $switch. End it with: make cluster-down
TXT
