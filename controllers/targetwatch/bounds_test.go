package targetwatch

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// TestLookInterval: the looks at a run's targets begin three seconds apart, the first at once. The watch asks four
// times a second which are due. So at most 5 s pass between two looks, if they do not take longer.
func TestLookInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop("web-1")
		w := watchOf(s)
		w.Keep(web, running("plan", []string{"kn1"}, "web-1"))
		began := time.Now()
		end := start(t, w)
		time.Sleep(31 * time.Second)
		end()
		for i, at := range s.looks["web"] {
			if want := time.Duration(i) * 3 * time.Second; at.Sub(began) != want {
				t.Errorf("look %d comes after %v; want %v", i, at.Sub(began), want)
			}
		}
		if n := len(s.looks["web"]); n != 11 {
			t.Errorf("%d looks in 31 s; want 11", n)
		}
	})
}

// TestGrace: a pod has five seconds to end its flows.
func TestGrace(t *testing.T) {
	s := newShop()
	w := watchOf(s)
	w.Keep(web, running("plan", []string{"kn1"}, "web-1"))
	if err := w.Look(t.Context(), web); err != nil || s.grace != 5 {
		t.Errorf("%v, %d s", err, s.grace)
	}
}

// TestFullLoad: with as many targets as are watched at all, in fifty runs, at most 500 objects a second are read, 32 at
// a time. The looks at a run are at most 5 s apart, and its pods end within 10 s of a change.
func TestFullLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pods []string
		for i := range 19 {
			pods = append(pods, fmt.Sprintf("web-%d", i))
		}
		s := newShop(pods...)
		s.takes = 2 * time.Millisecond
		w := watchOf(s)
		for i := range 50 {
			r := running("plan", []string{fmt.Sprintf("node-%d", i)}, pods...)
			r.Tie.Target.Service.Name = fmt.Sprint(i)
			w.Keep(types.NamespacedName{Namespace: "shop", Name: fmt.Sprint(i)}, r)
		}
		end := start(t, w)
		time.Sleep(time.Minute)
		s.mu.Lock()
		t.Logf("%d reads in a minute, at most %d at once", s.reads, s.most)
		if s.reads > 60*500+50 || s.reads < 60*300 || s.most > 32 {
			t.Errorf("%d reads in a minute, at most %d at once", s.reads, s.most)
		}
		if apart := s.longestPause(); apart > 5*time.Second {
			t.Errorf("two looks at a run are %v apart", apart)
		}
		changed := time.Now()
		delete(s.pods, "web-7")
		s.mu.Unlock()
		time.Sleep(20 * time.Second)
		end()
		if len(s.looks) != 50 || len(s.deleted) != 50 {
			t.Errorf("%d runs were looked at, %d pods deleted", len(s.looks), len(s.deleted))
		}
		s.expectEndedBy(t, changed.Add(10*time.Second))
	})
}

// longestPause is the longest time between two looks at a run.
func (s *shop) longestPause() (longest time.Duration) {
	for _, looks := range s.looks {
		for i := range looks[1:] {
			longest = max(longest, looks[i+1].Sub(looks[i]))
		}
	}
	return longest
}

// TestRoom: 1000 objects are watched at most, and a namespace gets half of what the others leave.
func TestRoom(t *testing.T) {
	w := watchOf(newShop())
	keep := func(namespace string, pods int) {
		names := make([]string, pods-1) // and the Service
		for i := range names {
			names[i] = fmt.Sprint(i)
		}
		w.Keep(types.NamespacedName{Namespace: namespace, Name: "first"}, running("plan", []string{"kn1"}, names...))
	}
	for i, c := range []struct {
		namespace string
		has, not  int
	}{{"a", 500, 501}, {"b", 250, 251}, {"c", 125, 126}, {"d", 62, 63}, {"e", 31, 32}} {
		first := types.NamespacedName{Namespace: c.namespace, Name: "first"}
		if !w.HasRoom(first, c.has) || w.HasRoom(first, c.not) {
			t.Errorf("namespace %d has no room for %d, or for %d", i, c.has, c.not)
		}
		keep(c.namespace, c.has)
		second := types.NamespacedName{Namespace: c.namespace, Name: "second"}
		if !w.HasRoom(first, c.has) || w.HasRoom(second, 1) {
			t.Errorf("namespace %d: its first run has no room any more, or a second one has", i)
		}
	}
}
