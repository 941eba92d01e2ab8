#!/usr/bin/env bash
# Lays an overlay between the nodes of the running cluster, or lifts it: overlay.sh vxlan|none
source "$(dirname "$0")/lib/all.sh"

take_lock
cluster_runs || fail "no cluster runs; start one with: make cluster-up"
case $* in
vxlan)
	[[ ! -e $state/overlay ]] || exit 0
	for i in "${nodes[@]}"; do lay_overlay "$i"; done
	touch "$state/overlay" # for nodes that start again
	say "Pods of different nodes now reach each other in VXLAN: the switch sees no segment of theirs."
	;;
none)
	[[ -e $state/overlay ]] || exit 0
	for i in "${nodes[@]}"; do lift_overlay "$i"; done
	rm "$state/overlay"
	say "Pods of different nodes now reach each other through the switch, as they are."
	;;
*) fail "usage: overlay.sh vxlan|none" ;;
esac
