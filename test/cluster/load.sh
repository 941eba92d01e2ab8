#!/usr/bin/env bash
# Imports image archives on every node; pods name them with imagePullPolicy Never. load.sh ARCHIVE...
source "$(dirname "$0")/lib/all.sh"

for archive in "$@"; do
	cp "$archive" "$state/images/" # for nodes that start again
	imports=()
	for i in "${nodes[@]}"; do
		"$here/node-exec.sh" "$i" ctr --namespace k8s.io images import "/run/cluster/images/${archive##*/}" >/dev/null &
		imports+=($!)
	done
	for process in "${imports[@]}"; do wait "$process" || fail "$archive could not be imported on every node"; done
	say "Imported ${archive##*/} on ${#nodes[@]} nodes."
done
