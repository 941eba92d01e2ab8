package reconciler

import (
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// createFailures has, by plan, since when every creation of a pod has failed, and why. A manager that restarts counts
// anew. It is used under the launcher's lock.
type createFailures map[types.UID]createFailure

type createFailure struct {
	first   time.Time
	refusal *target.Refusal
}

// since is for how long creations of the run's pods have failed, or 0 if they do not fail.
func (f createFailures) since(plan types.UID, now time.Time) time.Duration {
	if known, fails := f[plan]; fails {
		return now.Sub(known.first)
	}
	return 0
}

// mark notes one more failure and returns why creations fail. A busy API server says nothing of the pod: what it had
// against the pod before, as a quota that is full, stays the reason.
func (f createFailures) mark(plan types.UID, now time.Time, refusal *target.Refusal) *target.Refusal {
	known, fails := f[plan]
	if !fails {
		known.first = now
	}
	if !fails || refusal.Reason != v1alpha1.ReasonServerError {
		known.refusal = refusal
	}
	f[plan] = known
	return known.refusal
}

// keep forgets all plans but those that are open: runs end in many ways, and some are deleted.
func (f createFailures) keep(open func(plan types.UID) bool) {
	maps.DeleteFunc(f, func(plan types.UID, _ createFailure) bool { return !open(plan) })
}
