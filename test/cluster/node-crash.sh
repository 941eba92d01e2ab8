#!/usr/bin/env bash
# Ends node I as a power failure does: nothing is shut down, and the disk stays.
source "$(dirname "$0")/lib/all.sh"

take_lock
cluster_runs || fail "no cluster runs"
remove_node "$1"
say "Node kn$1 is gone without a word."
