package schedule

import (
	"hash/fnv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// A TCPProbe of mode Interval has one slot in every interval. Its UID determines where in the interval, so that many
// TCPProbes do not all run at once. status.nextRunTime is the first slot for which nothing has been decided. Only the
// manager's clock counts. A slot is missed if it passes while a run is active, or while no manager runs and another
// slot follows. A missed slot is counted, and no run makes up for it.

// Interval is the time from slot to slot; 0 if the TCPProbe does not recur.
func Interval(probe *v1alpha1.TCPProbe) time.Duration {
	run := probe.Spec.Run
	if run.Mode != v1alpha1.Interval || run.IntervalSeconds == nil {
		return 0
	}
	return time.Duration(*run.IntervalSeconds) * time.Second
}

// sincePhase is the time from the last slot to t.
func sincePhase(probe *v1alpha1.TCPProbe, t time.Time) time.Duration {
	every := int64(Interval(probe) / time.Second)
	h := fnv.New64a()
	h.Write([]byte(probe.UID))
	phase := int64(h.Sum64() % uint64(every))
	seconds := ((t.Unix()-phase)%every + every) % every // also before 1970
	return time.Duration(seconds)*time.Second + time.Duration(t.Nanosecond())
}

// slotAfter is the first slot after t.
func slotAfter(probe *v1alpha1.TCPProbe, t time.Time) time.Time {
	return t.Add(Interval(probe) - sincePhase(probe, t))
}

// nextSlot is status.nextRunTime, if it is a slot of the present interval.
func nextSlot(probe *v1alpha1.TCPProbe) (slot time.Time, ok bool) {
	next := probe.Status.NextRunTime
	if Interval(probe) == 0 || next == nil || sincePhase(probe, next.Time) != 0 {
		return time.Time{}, false
	}
	return next.Time, true
}

// Due reports whether a run is to start: the last run does not have the present spec and annotation, or a slot has
// come.
func Due(probe *v1alpha1.TCPProbe, now time.Time) bool {
	slot, waits := nextSlot(probe)
	return !LastRunIsCurrent(probe) || waits && !now.Before(slot)
}

// TakeSlot assigns the slot that has come, if one has, to the run that starts. Slots after it that have passed are
// counted as missed.
func TakeSlot(probe *v1alpha1.TCPProbe, now time.Time) {
	if slot, ok := nextSlot(probe); ok && !now.Before(slot) {
		probe.Status.MissedRuns += int64(now.Sub(slot) / Interval(probe))
		setNext(probe, slotAfter(probe, now))
		return
	}
	UpdateNextRun(probe, now)
}

// UpdateNextRun sets the next slot where no run starts now; a TCPProbe that is stopped has none. Slots that have passed
// are counted as missed. If the next slot is further away than the interval, the clock was set back, and the next slot
// is set anew.
func UpdateNextRun(probe *v1alpha1.TCPProbe, now time.Time) {
	every := Interval(probe)
	if every == 0 || probe.Spec.State == v1alpha1.Suspended || LeavesConnections(probe) {
		probe.Status.NextRunTime = nil
		return
	}
	slot, ok := nextSlot(probe)
	switch {
	case !ok || slot.Sub(now) > every:
		setNext(probe, slotAfter(probe, now))
	case !now.Before(slot):
		missed := 1 + int64(now.Sub(slot)/every)
		if askedForDuring(probe, slot) {
			missed--
		}
		probe.Status.MissedRuns += missed
		setNext(probe, slotAfter(probe, now))
	}
}

// askedForDuring reports whether the last run was under way in the slot and was one that somebody asked for: then it is
// that slot's too. So a new TCPProbe does not begin with a run that it missed.
func askedForDuring(probe *v1alpha1.TCPProbe, slot time.Time) bool {
	last := probe.Status.LastRun
	return last != nil && last.Trigger != v1alpha1.TriggerInterval && !slot.Before(last.StartTime.Time) &&
		!slot.After(last.CompletionTime.Time)
}

func setNext(probe *v1alpha1.TCPProbe, slot time.Time) {
	next := metav1.NewTime(slot)
	probe.Status.NextRunTime = &next
}

// UntilNext is the time until the next slot, or 0 if there is none.
func UntilNext(probe *v1alpha1.TCPProbe, now time.Time) time.Duration {
	slot, ok := nextSlot(probe)
	if !ok {
		return 0
	}
	return max(slot.Sub(now), time.Millisecond)
}
