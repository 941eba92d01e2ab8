#!/usr/bin/env bash
# Makes an overlay network between the nodes of the running cluster, or removes it: overlay.sh vxlan|none
source "$(dirname "$0")/lib/all.sh"

take_lock
cluster_runs || fail "no cluster runs; start one with: make cluster-up"
case $* in
vxlan)
	[[ ! -e $state/overlay ]] || exit 0
	for i in "${nodes[@]}"; do add_overlay "$i"; done
	touch "$state/overlay" # for nodes that start again
	say "Pods of different nodes now reach each other in VXLAN: the switch sees no segment of theirs."
	;;
none)
	[[ -e $state/overlay ]] || exit 0
	for i in "${nodes[@]}"; do remove_overlay "$i"; done
	rm "$state/overlay"
	say "Pods of different nodes now reach each other through the switch, as they are."
	;;
*) fail "usage: overlay.sh vxlan|none" ;;
esac
