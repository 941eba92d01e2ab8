package reason

import (
	"slices"
	"testing"
)

func TestTableIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range All() {
		if r.Name == "" || r.Brief == "" || len(r.Meanings) == 0 || seen[r.Name] {
			t.Errorf("a part is missing, or the entry is there twice: %+v", r)
		}
		seen[r.Name] = true
		if !slices.Contains([]string{Pass, Fail, Inconclusive}, r.Verdict) {
			t.Errorf("%s belongs to verdict %q", r.Name, r.Verdict)
		}
		scenarios := map[string]bool{}
		for _, m := range r.Meanings {
			if m.Means == "" || scenarios[m.Scenario] {
				t.Errorf("%s in %q: no meaning, or two", r.Name, m.Scenario)
			}
			if m.Do == "" && r.Verdict != Pass {
				t.Errorf("%s in %q: nothing says what to do", r.Name, m.Scenario)
			}
			scenarios[m.Scenario] = true
		}
	}
}

func TestIn(t *testing.T) {
	r := All()[slices.IndexFunc(All(), func(r Reason) bool { return r.Name == "PeerReset" })]
	if m, ok := r.In("FinReorder"); !ok || m.Do != "another trigger" {
		t.Errorf("%v, %+v", ok, m)
	}
	if m, ok := r.In("AcceptQueue"); ok {
		t.Errorf("has no meaning of its own there: %+v", m)
	}
}
