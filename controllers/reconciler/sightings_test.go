package reconciler

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
)

// TestDeadlinesCountByOneClock: from when this manager first saw the pod, whatever the clock of the manager says that
// recorded it. A clock that is set back begins them anew.
func TestDeadlinesCountByOneClock(t *testing.T) {
	web, noon := types.NamespacedName{Namespace: "shop", Name: "web"}, controllertest.Noon
	for _, recorded := range []time.Duration{-time.Hour, 0, time.Hour} {
		records := probepod.PodRecords{0: {UID: "a", At: noon.Add(recorded)}}
		var s sightings
		s.update(web, records, noon)
		if since := s.update(web, records, noon.Add(time.Minute)); !since["a"].Equal(noon) {
			t.Errorf("recorded %v off: the deadline counts from %v, want noon", recorded, since["a"])
		}
		back := noon.Add(-time.Hour)
		if since := s.update(web, records, back); !since["a"].Equal(back) {
			t.Errorf("the clock was set back to %v: the deadline counts from %v", back, since["a"])
		}
		s.update(web, nil, back)
		if len(s.first[web]) > 0 {
			t.Errorf("pods are kept that are not on record: %v", s.first[web])
		}
		s.forget(web)
		if len(s.first) > 0 {
			t.Errorf("kept: %v", s.first)
		}
	}
}
