package reconciler

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/controllers/probepod"
)

// sightings has, by TCPProbe, when this manager first saw the recorded pods of the active run. The deadlines of pods
// count from there. The time in a record is that of the manager which made it, whose clock may be hours off. So a
// manager that takes over starts the deadlines again.
type sightings struct {
	mu    sync.Mutex
	first map[types.NamespacedName]map[types.UID]time.Time
}

// update adds the pods that are on record, and forgets all others. If the clock was set back, a deadline begins anew.
func (s *sightings) update(
	probe types.NamespacedName, records probepod.PodRecords, now time.Time,
) map[types.UID]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		s.first = make(map[types.NamespacedName]map[types.UID]time.Time)
	}
	known, next := s.first[probe], make(map[types.UID]time.Time, len(records))
	for _, record := range records {
		since, seen := known[record.UID]
		if !seen || since.After(now) {
			since = now
		}
		next[record.UID] = since
	}
	s.first[probe] = next
	return next
}

func (s *sightings) forget(probe types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.first, probe)
}
