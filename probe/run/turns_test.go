package run

import (
	"testing"
)

// As many flows are open as there are paths, and as the pace serves; a single path has room for what waits beside it.
func TestTurns(t *testing.T) {
	for _, c := range []struct{ paths, perSecond, want int }{
		{16, 200, 16}, {64, 200, 20}, {16, 2000, 16}, {1, 200, 4}, {16, 10, 4}, {256, 2000, 200},
	} {
		if got := cap(newTurns(c.paths, c.perSecond)); got != c.want {
			t.Errorf("%d paths, %d a second: %d", c.paths, c.perSecond, got)
		}
	}
}

// The next check begins when no flow does more than wait, but one still does.
func TestACheckThatOnlyWaitsIsIdle(t *testing.T) {
	idle := func(w *working) bool {
		select {
		case <-w.idle:
			return true
		default:
			return false
		}
	}
	w := newWorking()
	w.add(2, 0)
	rest, end := w.flow()
	_, endOther := w.flow()
	if rest(); idle(w) {
		t.Error("idle while a flow works")
	}
	rest()
	if endOther(); !idle(w) {
		t.Error("not idle though the last one only waits")
	}
	end()
	w = newWorking()
	w.add(1, 0)
	if _, end := w.flow(); true {
		end()
	}
	if idle(w) {
		t.Error("idle after the last flow has ended: what follows is still to be done")
	}
}
