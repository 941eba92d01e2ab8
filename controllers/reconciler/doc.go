// Package reconciler runs TCPProbes, one step at each reconcile: it has a run planned, its pods created as limits leave
// room, and the outcomes written into the status. The decisions are made in the other packages of controllers. This
// package connects them. It also has the watches and the manager's rights.
//
// # Each run once
//
// A run happens once and is reported once, also if a manager is killed or two managers are active. Its steps, each a
// single write:
//
//  1. status.activeRun is set, under the TCPProbe's resourceVersion.
//  2. The plan is created: a ConfigMap, its name derived from the run's ID.
//  3. The plan's UID is written to status.activeRun.plan, under the TCPProbe's resourceVersion.
//  4. Pods are created, gated (schedulingGates), named by the plan and their number: nothing runs.
//  5. Their UIDs are recorded in the plan's annotation, under the plan's resourceVersion.
//  6. The gates of the pods with exactly these UIDs are removed: now they run.
//  7. activeRun becomes lastRun, under the TCPProbe's resourceVersion.
//  8. The plan is deleted, and its pods with it.
//
// A manager that is killed between two steps, a second manager, and a manager that was paused for an hour and continues
// with stale data are all stopped by one of these preconditions:
//
//   - Before 3 the run is only announced. The next manager continues it, or replaces or withdraws it if the TCPProbe
//     was changed. A plan that no status names is deleted.
//   - 3 happens once for a run. If the plan is deleted later, its UID in the status tells this from a plan that was
//     never created: the run ends as Inconclusive, and no second plan is created for it.
//   - A pod is created only for a number that is not on record, and runs only if its UID is on record. 5 records one
//     UID for a number, and it is never replaced. So a pod that is deleted after it was recorded is not created
//     again. A pod that is deleted between 4 and 5 has never run. One that is there between 4 and 5 is recorded by the
//     next manager, whether there is room for another one or not. A pod that a late manager creates for a recorded
//     number has another UID, stays gated and is deleted.
//   - Between 5 and 6 the pod exists and is gated, with its UID on record. The next manager removes the gate. Removing
//     it twice changes nothing.
//   - 7 happens once, because it changes the status. Until then its result can be computed again at any time: reports
//     are in the pods' status and, if pods are deleted, in the plan's annotation.
//   - After 7 the plan is not that of an active run: every reconcile of the TCPProbe, and every sweep, deletes it.
//
// The deadlines of pods count from when this manager first saw them on record, because the clock of the manager that
// recorded them may differ. Package simulation plays all of this at random.
//
// No object has a finalizer, so uninstalling the operator cannot block the deletion of a namespace. The sweep finds
// what a missed deletion leaves behind, and pods end at their own deadline.
package reconciler
