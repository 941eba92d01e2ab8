package controllers

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// TestHowLongFailedPodsAreKept: the three that failed last, for an hour.
func TestHowLongFailedPodsAreKept(t *testing.T) {
	probe := exampleProbe()
	order := corev1.ConfigMap{ObjectMeta: mine("web-1")}
	failed := func(name string, ago time.Duration) corev1.Pod {
		pod := corev1.Pod{ObjectMeta: mine(name), Status: corev1.PodStatus{Phase: corev1.PodFailed}}
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: "ConfigMap", Name: order.Name}}
		pod.CreationTimestamp = metav1.NewTime(noon.Add(-ago))
		return pod
	}
	pods := []corev1.Pod{failed("a", 4*time.Second), failed("b", 3*time.Second), failed("c", 2*time.Second), failed("d", time.Second)}
	l := leftovers([]corev1.ConfigMap{order}, pods, probe, noon)
	if len(l.Orders) != 0 || len(l.Pods) != 1 || l.Pods[0].Name != "a" {
		t.Errorf("of four that failed %v go; want the oldest", l.Pods)
	}
	for ago, kept := range map[time.Duration]bool{time.Hour - time.Nanosecond: true, time.Hour: false} {
		l := leftovers([]corev1.ConfigMap{order}, []corev1.Pod{failed("a", ago)}, probe, noon)
		if got := len(l.Orders) == 0; got != kept {
			t.Errorf("one that failed %v ago is kept: %t; want %t", ago, got, kept)
		}
		if kept && l.Next != time.Nanosecond {
			t.Errorf("looked at again in %v", l.Next)
		}
	}
}

// tickers remembers how often it was asked to tick.
type tickers struct {
	*testingclock.FakeClock
	period time.Duration
}

func (c *tickers) NewTicker(period time.Duration) clock.Ticker {
	c.period = period
	return c.FakeClock.NewTicker(period)
}

// TestHowOftenPlansAreSwept: every ten minutes.
func TestHowOftenPlansAreSwept(t *testing.T) {
	c := &tickers{FakeClock: testingclock.NewFakeClock(noon)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&Reconciler{Client: fake.NewClientBuilder().Build(), Clock: c}).Start(ctx); err != nil {
		t.Fatal(err)
	}
	if c.period != 10*time.Minute {
		t.Errorf("every %v", c.period)
	}
}
