// Package target decides what a TCPProbe may probe, and from which nodes. Each level of that question, from the spec
// to a single Pod, has one table of rules. The Resolver reads from the cluster what the rules check: before the run,
// before a pod that waited long is released, and after the run. A Snapshot is what it read when the run was planned.
package target
