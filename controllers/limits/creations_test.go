package limits

import (
	"fmt"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// created is how many pods a namespace that asks every 10 ms gets created in five seconds, after the first second.
// Before each, others ask if they are there.
func created(c *Creations, others func(now time.Time)) (n int) {
	for i := range 600 {
		now := controllertest.Noon.Add(time.Duration(i) * 10 * time.Millisecond)
		if others != nil {
			others(now)
		}
		if c.Allow(now, "shop", others != nil) && i >= 100 {
			n++
		}
	}
	return n
}

func TestCreationsASecond(t *testing.T) {
	if n := created(DefaultCaps.NewCreations(), nil); n != 100 {
		t.Errorf("%d pods in five seconds, while nobody else waits; want 100", n)
	}
	c := DefaultCaps.NewCreations()
	if n := created(c, func(now time.Time) {
		for range 1000 {
			c.Allow(now, "greedy", true)
		}
	}); n != 50 {
		t.Errorf("%d pods in five seconds, beside a namespace that asks 100,000 times a second; want 50", n)
	}
}

// TestCreationsOfANewcomer: one that comes when another namespace has used up all gets its first pod within a
// second.
func TestCreationsOfANewcomer(t *testing.T) {
	c := DefaultCaps.NewCreations()
	now := controllertest.Noon
	for range 1000 {
		c.Allow(now, "greedy", false)
	}
	for waited := time.Duration(0); ; waited += 10 * time.Millisecond {
		for range 1000 {
			c.Allow(now.Add(waited), "greedy", true)
		}
		if c.Allow(now.Add(waited), "shop", true) {
			break
		}
		if waited > time.Second {
			t.Fatal("the newcomer gets no pod within a second")
		}
	}
}

// TestOneCreationASecond: half of one is one.
func TestOneCreationASecond(t *testing.T) {
	c := Caps{PerSecond: 1}.NewCreations()
	if !c.Allow(controllertest.Noon, "shop", true) || c.Allow(controllertest.Noon, "bank", true) {
		t.Error("want one, and no second one")
	}
}

// TestHalfOfThreeCreationsIsOne: what is left of three is for others.
func TestHalfOfThreeCreationsIsOne(t *testing.T) {
	c := Caps{PerSecond: 3}.NewCreations()
	if !c.Allow(controllertest.Noon, "shop", true) || c.Allow(controllertest.Noon, "shop", true) ||
		!c.Allow(controllertest.Noon, "bank", true) {
		t.Error("want one for each namespace")
	}
}

// TestIdleNamespacesAreForgotten, so that their number does not grow.
func TestIdleNamespacesAreForgotten(t *testing.T) {
	c := DefaultCaps.NewCreations()
	for i := range 1000 {
		c.Allow(controllertest.Noon.Add(time.Duration(i)*time.Second), fmt.Sprint("ns-", i), true)
	}
	if n := len(c.byNamespace); n > 2 {
		t.Errorf("%d namespaces are remembered", n)
	}
}
