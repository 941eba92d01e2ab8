package simulation

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// blame notes that something was done to a source of a run, or to all, which may be given as this reason.
func (o *oracle) blame(id, source, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.simulation.say("blame run %s source %q: %s", id, source, reason)
	r := o.run(id)
	if r.done[source] == nil {
		r.done[source] = map[string]bool{}
	}
	r.done[source][reason] = true
}

// targetGone notes that a target was replaced, or was not Ready and comes back.
func (o *oracle) targetGone(uid types.UID, back bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.gone[uid] = back
}

func (o *oracle) nodeDown(node string, down bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down[node] = time.Now()
	if down {
		o.down[node] = time.Now().Add(time.Hour)
	}
}

// refusedUntil notes that no pod can be created until then.
func (o *oracle) refusedUntil(reason string, until time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refused[reason] = until
}

// deletes notes that somebody else than a manager deletes an object.
func (o *oracle) deletes(uid types.UID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.users[uid] = true
}

// allowed are the reasons that a run may be reported with, and how many sources may be missing.
func (o *oracle) allowed(id string) (reasons map[string]bool, sources int) {
	r := o.run(id)
	reasons = map[string]bool{}
	hit := map[string]bool{}
	for source, done := range r.done {
		for reason := range done {
			reasons[reason] = true
		}
		hit[source] = true
	}
	for _, node := range r.nodes {
		if o.down[node].After(r.begun.Add(-20 * time.Minute)) {
			reasons[v1alpha1.ReasonNodeNotReady], reasons[v1alpha1.ReasonStartTimeout] = true, true
			hit[node] = true
		}
	}
	for reason, until := range o.refused {
		if until.After(r.begun) {
			reasons[reason] = true
			hit[""] = true
		}
	}
	for _, uid := range r.targets {
		if back, gone := o.gone[uid]; gone {
			reasons[v1alpha1.ReasonTargetChanged] = true
			if back { // who ended its pods may have been killed, and the others cannot know why any more
				reasons[v1alpha1.ReasonPodDeleted] = true
			}
			hit[""] = true // pods whose turn has not come are not created
		}
	}
	if hit[""] {
		return reasons, len(r.nodes) + 1
	}
	return reasons, len(hit)
}
