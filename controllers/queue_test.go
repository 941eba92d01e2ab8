package controllers

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestQueueOfANamespace: first come, first served.
func TestQueueOfANamespace(t *testing.T) {
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	runs := func() []Waiting {
		return []Waiting{{"shop", "late", at(3), 100}, {"shop", "first", at(1), 4}, {"shop", "second", at(2), 100}, {"shop", "third", at(2), 1}}
	}
	caps := Caps{Total: 20, PerProbe: 10, PerNode: 5}
	for uid, want := range map[string]struct{ places, place int }{
		"first": {10, 1}, "second": {10, 2}, "third": {6, 3}, "late": {5, 4},
	} {
		room := caps.room(occupancy(nil), uid, runs())
		if n := fill(room, uid); n != want.places || room.Place != want.place {
			t.Errorf("%s: %d places, place %d; want %+v", uid, n, room.Place, want)
		}
	}
	var busy []corev1.Pod
	for i := range 10 {
		busy = append(busy, proberPod("second", fmt.Sprint("n", i), corev1.PodRunning))
	}
	if room := caps.room(occupancy(busy), "late", runs()); fill(room, "late") != 5 {
		t.Errorf("a run that is at its own cap holds back others: %+v", room)
	}
}

// TestQueueBetweenNamespaces: one that asks for everything does not keep another waiting, and one that asks for little comes
// before what the greedy one still wants.
func TestQueueBetweenNamespaces(t *testing.T) {
	var runs []Waiting
	for i := range 30 {
		runs = append(runs, Waiting{"greedy", fmt.Sprintf("greedy-%02d", i), noon.Add(time.Duration(i) * time.Second), 50})
	}
	runs = append(runs, Waiting{"modest", "modest", noon.Add(time.Hour), 3}, Waiting{"late", "late", noon.Add(2 * time.Hour), 50})
	var pods []corev1.Pod
	for i := range 200 {
		pod := proberPod(fmt.Sprintf("greedy-%02d", i/50), fmt.Sprint("n", i), corev1.PodRunning)
		pod.Labels[labelNamespace] = "greedy"
		pods = append(pods, pod)
	}
	full := occupancy(pods)
	for uid, place := range map[string]int{"modest": 1, "late": 2, "greedy-00": 3, "greedy-29": 32} {
		if r := DefaultCaps.room(full, uid, runs); r.Place != place || r.has(uid, "free") {
			t.Errorf("%s: place %d; want %d, and no pod", uid, r.Place, place)
		}
	}
	ten := occupancy(pods[10:])
	for uid, places := range map[string]int{"late": 7, "greedy-04": 0} {
		if n := fill(DefaultCaps.room(ten, uid, runs), uid); n != places {
			t.Errorf("of ten free places %s gets %d; want %d", uid, n, places)
		}
	}
}
