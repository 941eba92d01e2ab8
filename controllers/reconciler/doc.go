// Package reconciler carries TCPProbes out, a step at each look: it has a run planned, its pods made as limits leave
// room, and the outcomes turned into the status. What decides is in the other packages of controllers; here it is put
// together, and here are the watches and the manager's rights.
//
// # Each run once
//
// A run happens once and is reported once, whatever dies or doubles. Its steps, each a single write:
//
//  1. status.activeRun is set, under the TCPProbe's resourceVersion.
//  2. The plan is created: a ConfigMap, its name derived from the run's ID.
//  3. The plan's UID is written to status.activeRun.plan, under the TCPProbe's resourceVersion.
//  4. Pods are created, gated (schedulingGates), named by the plan and their number: nothing runs.
//  5. Their UIDs are recorded in the plan's annotation, under the plan's resourceVersion.
//  6. The gates of exactly these UIDs are removed: now they run.
//  7. activeRun becomes lastRun, under the TCPProbe's resourceVersion.
//  8. The plan is deleted, and its pods with it.
//
// A manager that dies between two steps, a second one beside it, and one that was stopped for an hour and goes on
// with what it knew, all meet one of these preconditions:
//
//   - Before 3 nothing of the run exists but an announcement. Whoever comes next goes on with it, or replaces or
//     withdraws it if the TCPProbe asks something else by now. A plan without a place in a status is deleted.
//   - 3 happens once for a run. If the plan is deleted later, its UID in the status tells that from a plan that was
//     never made: the run ends as Inconclusive, and no second plan is made for it.
//   - A pod is made only for a number that is not on record, and runs only if its UID is. 5 puts one UID on record
//     for a number, and it is never replaced. So a pod that is deleted while it is on record is not made again; one
//     that is deleted between 4 and 5 has never run; and a pod that a late manager makes of a number on record has
//     another UID, stays gated and is deleted.
//   - Between 5 and 6 the pod is there and gated, with its UID on record: whoever comes next takes the gate off. Doing
//     that twice changes nothing.
//   - 7 happens once, because the status is then another one. What it reports can be worked out again at any time
//     before: reports are in the pods' status and, should these go, in the plan's annotation.
//   - After 7 the plan is not that of an active run: every look at the TCPProbe, and every sweep, deletes it.
//
// There is no finalizer on anything: uninstalling the operator cannot wedge a namespace. What a missed deletion leaves
// behind is found by the sweep, and pods end at their own deadline.
package reconciler
