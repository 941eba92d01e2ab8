package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func TestWritesAreCountedFromTheAuditLog(t *testing.T) {
	const (
		status = `{"verb":"update",` +
			`"objectRef":{"resource":"tcpprobes","subresource":"status","namespace":"shop","name":"web"},`
		pod = `{"verb":"create","objectRef":{"resource":"pods","namespace":"tcpprobe-probes"},`
		log = status + `"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-27T12:00:00.5Z"}` + "\n" +
			status + `"responseStatus":{"code":409},"requestReceivedTimestamp":"2026-11-27T12:00:04Z"}` + "\n" +
			pod + `"responseStatus":{"code":201},"requestReceivedTimestamp":"2026-11-27T12:00:01Z"}` + "\n"
	)
	w, err := countWrites(strings.NewReader(log))
	if err != nil || w.All["update tcpprobes/status"] != 2 || w.All["create pods"] != 1 || w.Refused != 1 {
		t.Errorf("%+v, %v", w, err)
	}
	runs := []probeRun{
		{Start: noon.Add(-time.Minute), End: noon.Add(-50 * time.Second)},
		{Start: noon, End: noon.Add(3 * time.Second)},
	}
	if counts := attribute(runs, w.toStatus["shop/web"]); counts[0] != 0 || counts[1] != 2 || runs[1].bound() != 7 {
		t.Errorf("%v of at most %d", counts, runs[1].bound())
	}
	if _, err := countWrites(strings.NewReader("{")); err == nil {
		t.Error("half a line is counted")
	}
}

func TestLatenessCountsFromTheSlot(t *testing.T) {
	p := &v1alpha1.TCPProbe{}
	p.Spec.Run.IntervalSeconds = ptr.To[int32](300)
	p.Status.NextRunTime = new(metav1.NewTime(noon.Add(5 * time.Minute)))
	p.Status.LastRun = &v1alpha1.LastRun{Number: 2, Trigger: v1alpha1.TriggerInterval,
		StartTime: metav1.NewTime(noon.Add(7 * time.Second)), CompletionTime: metav1.NewTime(noon.Add(9 * time.Second))}
	w := newWatcher()
	w.see(watch.Modified, p)
	w.see(watch.Modified, p) // another write of the same run
	runs := w.runs["/"]
	if len(runs) != 1 || runs[0].Late != 7*time.Second || !runs[0].Recurs ||
		w.ended() != 1 || w.activeSince(noon) != 0 {
		t.Errorf("%+v", runs)
	}
}

func TestFirstRunsWaitFromTheCreation(t *testing.T) {
	p := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(noon)}}
	w := newWatcher()
	for number, start := range map[int64]time.Duration{1: 40 * time.Second, 2: 300 * time.Second} {
		p.Name = fmt.Sprint("web-", number)
		p.Status.LastRun = &v1alpha1.LastRun{Number: number, StartTime: metav1.NewTime(noon.Add(start))}
		w.see(watch.Modified, p)
	}
	if w.firstStart != 40*time.Second {
		t.Errorf("the first runs started within %v; want the one that is a first", w.firstStart)
	}
}

func TestPodCounter(t *testing.T) {
	c := newPodCounter()
	pod := func(uid, probe, node string, made time.Duration, phase corev1.PodPhase) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				UID: types.UID(uid), CreationTimestamp: metav1.NewTime(noon.Add(made)),
				Labels:      map[string]string{"tcpprobe.dev/probe-uid": probe},
				Annotations: map[string]string{"tcpprobe.dev/source": node},
			},
			Status: corev1.PodStatus{Phase: phase},
		}
	}
	c.see(watch.Added, pod("1", "a", "kn1", 0, corev1.PodPending))
	c.see(watch.Added, pod("2", "a", "kn2", 0, corev1.PodPending))
	c.see(watch.Modified, pod("2", "a", "kn2", 0, corev1.PodSucceeded))
	c.see(watch.Added, pod("3", "b", "kn1", 15*time.Second, corev1.PodPending))
	c.see(watch.Deleted, pod("1", "a", "kn1", 0, corev1.PodPending))
	if alive, made := c.now(); alive != 1 || made != 3 {
		t.Errorf("%d alive of %d", alive, made)
	}
	if p := c.result(); p != (peak{Total: 2, OfOneTCPProbe: 2, OnOneNode: 2, In10Seconds: 2}) {
		t.Errorf("%+v", p)
	}
}

func TestUsage(t *testing.T) {
	u, err := parseUsage("Name:\tmanager\nVmHWM:\t  70000 kB\nVmRSS: 1 kB\n",
		"12 (a )b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20")
	if err != nil || u.PeakBytes != 70000<<10 || u.Processor != 2*time.Second {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := parseUsage("", ""); err == nil {
		t.Error("nothing is taken for a usage")
	}
}

// TestFolderOfTheKilled shows that the folder of a program that was killed is removed by the next one, and that a
// folder in use is not.
func TestFolderOfTheKilled(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dead := filepath.Join(os.TempDir(), folders+"dead")
	if err := os.MkdirAll(filepath.Join(dead, "etcd"), 0o700); err != nil {
		t.Fatal(err)
	}
	first, err := newFolder()
	if err != nil {
		t.Fatal(err)
	}
	second, err := newFolder()
	if err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	if err != nil || len(left) != 2 || !slices.Contains(left, first) || !slices.Contains(left, second) {
		t.Errorf("left: %v, %v", left, err)
	}
}
