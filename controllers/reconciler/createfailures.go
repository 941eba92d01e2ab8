package reconciler

import (
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// createFailures has, by plan, the time since which every creation of a pod has failed. A manager that restarts counts
// anew. It is used under the launcher's lock.
type createFailures map[types.UID]time.Time

// since is for how long creations of the run's pods have failed, or 0 if they do not fail.
func (f createFailures) since(plan types.UID, now time.Time) time.Duration {
	if first, fails := f[plan]; fails {
		return now.Sub(first)
	}
	return 0
}

func (f createFailures) mark(plan types.UID, now time.Time) {
	if _, fails := f[plan]; !fails {
		f[plan] = now
	}
}

// keep forgets all plans but those that are open: runs end in many ways, and some are deleted.
func (f createFailures) keep(open func(plan types.UID) bool) {
	maps.DeleteFunc(f, func(plan types.UID, _ time.Time) bool { return !open(plan) })
}
