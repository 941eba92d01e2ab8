package variant

import (
	"slices"
	"testing"
)

func TestTableIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range All() {
		if v.Name == "" || v.Suspect == "" || v.Sent == "" || v.Arrived == "" || v.Control == "" || seen[v.Name] {
			t.Errorf("a part is missing, or the entry is there twice: %+v", v)
		}
		seen[v.Name] = true
		if v.Where == Crossing && v.Zero == Acknowledgment {
			t.Errorf("%s: Crossing is for sequence numbers only", v.Name)
		}
	}
}

func TestNames(t *testing.T) {
	if Default().Name != "Push" {
		t.Errorf("the default is %s", Default().Name)
	}
	if got := Names(NeedsClosedPort); !slices.Equal(got, []string{"FinUrgPush", "Null", "AckZero"}) {
		t.Errorf("need a closed port: %v", got)
	}
	if got := Names(HasToWait); !slices.Equal(got, []string{"Ack", "Reset", "PeerPush"}) {
		t.Errorf("have to wait: %v", got)
	}
	if got := List(Names(NeedsClosedPort)); got != "FinUrgPush, Null and AckZero" {
		t.Errorf("in a sentence: %s", got)
	}
	if got := List([]string{"Push"}) + List(nil); got != "Push" {
		t.Errorf("one and none in a sentence: %s", got)
	}
	if v, ok := Named("Null"); !ok || v.Flags != 0 || !v.Data {
		t.Errorf("Null: %v, %+v", ok, v)
	}
	if _, ok := Named("Nil"); ok || len(Names(Any)) != len(All()) {
		t.Error("an unknown name is found, or All is incomplete")
	}
}
