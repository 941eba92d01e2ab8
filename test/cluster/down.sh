#!/usr/bin/env bash
# Ends the cluster and removes everything of it, whatever state it is in. The built programs stay in the cache.
source "$(dirname "$0")/lib/all.sh"

((EUID == 0)) || fail "needs root"
take_lock
remove_cluster
say "The cluster is gone."
