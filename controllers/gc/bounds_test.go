package gc

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// TestHowLongFailedPodsAreKept: the three that failed last are kept, for an hour, and 30 of a namespace.
func TestHowLongFailedPodsAreKept(t *testing.T) {
	probe := controllertest.Probe()
	plan := corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "web-1",
		Labels: map[string]string{runplan.LabelUID: string(probe.UID)}}}
	failed := func(name string, ago time.Duration) corev1.Pod {
		return corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name,
				OwnerReferences:   []metav1.OwnerReference{{Kind: "ConfigMap", Name: plan.Name}},
				CreationTimestamp: metav1.NewTime(controllertest.Noon.Add(-ago))},
			Status: corev1.PodStatus{Phase: corev1.PodFailed},
		}
	}
	pods := []corev1.Pod{failed("a", 4*time.Second), failed("b", 3*time.Second), failed("c", 2*time.Second),
		failed("d", time.Second)}
	l := leftovers([]corev1.ConfigMap{plan}, pods, probe, 0, controllertest.Noon)
	if len(l.ConfigMaps) != 0 || len(l.Pods) != 1 || l.Pods[0].Name != "a" {
		t.Errorf("of four that failed %v are deleted; want the oldest", l.Pods)
	}
	for ended, want := range map[int]int{27: 3, 28: 2, 30: 0, 31: 0} {
		l := leftovers([]corev1.ConfigMap{plan}, pods, probe, ended, controllertest.Noon)
		if kept := len(pods) - len(l.Pods); want > 0 && kept != want || want == 0 && len(l.ConfigMaps) != 1 {
			t.Errorf("beside %d of the namespace %d are kept; want %d", ended, kept, want)
		}
	}
	for ago, kept := range map[time.Duration]bool{time.Hour - time.Nanosecond: true, time.Hour: false} {
		l := leftovers([]corev1.ConfigMap{plan}, []corev1.Pod{failed("a", ago)}, probe, 0, controllertest.Noon)
		if got := len(l.ConfigMaps) == 0; got != kept {
			t.Errorf("one that failed %v ago is kept: %t; want %t", ago, got, kept)
		}
		if kept && l.Next != time.Nanosecond {
			t.Errorf("the next deletion is due in %v", l.Next)
		}
	}
}

// tickerClock records the period of its last ticker.
type tickerClock struct {
	*testingclock.FakeClock
	period time.Duration
}

func (c *tickerClock) NewTicker(period time.Duration) clock.Ticker {
	c.period = period
	return c.FakeClock.NewTicker(period)
}

// TestHowOftenPlansAreSwept: every ten minutes.
func TestHowOftenPlansAreSwept(t *testing.T) {
	c := &tickerClock{FakeClock: testingclock.NewFakeClock(controllertest.Noon)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&Sweeper{Caches: fake.NewClientBuilder().Build(), Clock: c}).Start(ctx); err != nil {
		t.Fatal(err)
	}
	if c.period != 10*time.Minute {
		t.Errorf("every %v", c.period)
	}
}
