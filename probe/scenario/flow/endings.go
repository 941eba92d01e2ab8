package flow

import (
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// Endings is what the flows to one target have seen of how it takes the end of connections. It is safe for concurrent
// use.
type Endings struct {
	mu     sync.Mutex
	silent int // in a row, the last ones
}

// enoughSilent is how many ends in a row must show nothing before the others get fewer RSTs.
const enoughSilent = 4

// note counts an end.
func (n *Endings) note(e conn.Ending) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.silent++; e.Confirmed || e.Left {
		n.silent = 0
	}
}

// silentPeer reports whether nothing ever shows how the target takes an end, as where its RSTs are dropped.
func (n *Endings) silentPeer() bool {
	if n == nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.silent >= enoughSilent
}
