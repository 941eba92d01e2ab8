package verdict

import "testing"

// A conviction after the longest wait spares others the wait, unless anything ever came late.
func TestLateness(t *testing.T) {
	var none *Lateness
	none.Lost()
	if none.Excluded() {
		t.Error("excluded where nothing is shared")
	}
	l := &Lateness{}
	if l.Excluded() {
		t.Error("excluded before anything was asked")
	}
	if l.Lost(); !l.Excluded() {
		t.Error("not excluded after the longest wait")
	}
	l.Late()
	if l.Lost(); l.Excluded() {
		t.Error("excluded although an answer came late")
	}
}
