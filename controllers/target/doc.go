// Package target decides whom a TCPProbe may probe, and from where. Each level of that question, from the spec to a
// single Pod, has one table of rules; the Resolver reads from the cluster what the rules look at, before the run,
// before a pod is let go that waited long, and after the run. A Snapshot is what it saw.
package target
