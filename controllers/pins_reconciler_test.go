package controllers

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// TestStatusWrites: a second apart at least while a run goes on.
func TestStatusWrites(t *testing.T) {
	var p pace
	key := types.NamespacedName{Namespace: "shop", Name: "web"}
	if wait := p.wait(key, noon); wait > 0 {
		t.Errorf("the first waits %v", wait)
	}
	p.mark(key, noon)
	if wait := p.wait(key, noon.Add(300*time.Millisecond)); wait != 700*time.Millisecond {
		t.Errorf("the second waits %v after 300 ms", wait)
	}
	if wait := p.wait(key, noon.Add(time.Second)); wait > 0 {
		t.Errorf("the second waits %v after a second", wait)
	}
}

// TestStuckAfter: a pass of five minutes is no pass any more.
func TestStuckAfter(t *testing.T) {
	var p passes
	p.begin(types.NamespacedName{Name: "web"}, noon)
	if err := p.stuck(noon.Add(5 * time.Minute)); err != nil {
		t.Error(err)
	}
	if err := p.stuck(noon.Add(5*time.Minute + time.Nanosecond)); err == nil {
		t.Error("not stuck after five minutes")
	}
}

// TestHowOftenARunIsLookedAt says how often the manager comes back by itself, and how much it does at once.
func TestHowOftenARunIsLookedAt(t *testing.T) {
	unmade := Outcome{State: Unmade}
	for want, p := range map[time.Duration]Progress{
		time.Second:           {Outcomes: []Outcome{unmade}},
		2 * time.Second:       {Outcomes: []Outcome{unmade}, Place: 10},
		30 * time.Second:      {Outcomes: []Outcome{unmade}, Place: 1000},
		5 * time.Second:       {Outcomes: []Outcome{{State: Probing}}},
		50 * time.Millisecond: {Outcomes: []Outcome{unmade}, Throttled: true},
	} {
		if got := p.poll(); got != want {
			t.Errorf("%+v: again in %v; want %v", p, got, want)
		}
	}
}

// TestWorkers: four TCPProbes at a time, each with eight live reads at most, is what the API server has to bear.
func TestWorkers(t *testing.T) {
	if workers != 4 {
		t.Errorf("%d TCPProbes are looked at at the same time", workers)
	}
}
