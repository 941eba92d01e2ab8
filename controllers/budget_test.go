package controllers

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func proberPod(probe, node string, phase corev1.PodPhase) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{labelUID: probe}, Annotations: map[string]string{annotationSource: node}},
		Status:     corev1.PodStatus{Phase: phase},
	}
}

// fill takes places for the TCPProbe on nodes of its own until there are none, and reports how many there were.
func fill(r Room, probe string) (n int) {
	for node := fmt.Sprintf("node-%d", n); r.has(probe, node); node = fmt.Sprintf("node-%d", n) {
		r.take(probe, node)
		n++
	}
	return n
}

func TestCaps(t *testing.T) {
	var pods []corev1.Pod
	for i := range 4 {
		pods = append(pods, proberPod("other", "kn1", corev1.PodRunning), proberPod("other", fmt.Sprint("x", i), corev1.PodPending), proberPod("other", "kn1", corev1.PodSucceeded))
	}
	caps := Caps{Total: 20, PerProbe: 10, PerNode: 5}
	if n := fill(caps.room(occupancy(pods), "mine", nil), "mine"); n != 10 {
		t.Errorf("one TCPProbe may have %d; want 10", n)
	}
	if n := fill(caps.room(occupancy(pods), "other", nil), "other"); n != 2 {
		t.Errorf("one that has 8 may have %d more; want 2", n)
	}
	node := caps.room(occupancy(pods), "mine", nil)
	node.take("mine", "kn1")
	if node.has("mine", "kn1") {
		t.Error("a sixth pod on one node")
	}
	for i := range 12 {
		pods = append(pods, proberPod(fmt.Sprint("p", i), fmt.Sprint("n", i), corev1.PodRunning))
	}
	if full := caps.room(occupancy(pods), "mine", nil); full.has("mine", "free") || !full.full() {
		t.Error("a 21st pod in the cluster")
	}
}

func TestQueueIsFirstComeFirstServed(t *testing.T) {
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	runs := func() []Waiting {
		return []Waiting{{"late", at(3), 100}, {"first", at(1), 4}, {"second", at(2), 100}, {"third", at(2), 1}}
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
