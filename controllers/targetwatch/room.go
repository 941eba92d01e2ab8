package targetwatch

import (
	"k8s.io/apimachinery/pkg/types"
)

// mostReads is how many objects are watched for all runs together, so that all can be read within two seconds.
const mostReads = 1000

// HasRoom reports whether the TCPProbe's run may have this many objects watched. All runs of a namespace get half of
// what the other namespaces leave. So one namespace alone gets half, and there is always something left for another.
func (w *Watch) HasRoom(probe types.NamespacedName, reads int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	others, own := 0, reads
	for key, r := range w.runs {
		switch {
		case key == probe:
		case key.Namespace == probe.Namespace:
			own += r.Tie.Reads()
		default:
			others += r.Tie.Reads()
		}
	}
	return own <= (mostReads-others)/2
}
