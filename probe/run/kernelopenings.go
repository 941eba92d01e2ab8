package run

import "github.com/tcpprobe/tcpprobe/probe/kernelconn"

// kernelOpenings is what openings know of the connections of this host's own kernel, which take no turn.
type kernelOpenings struct {
	proven  int             // connections that the target held
	refused bool            // the last one that was settled was refused or reset
	first   <-chan struct{} // closed after the first connections; nil: there are none
}

// beginKernel says that the kernel's first connections begin, and what is closed after them.
func (o *openings) beginKernel(first <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kernel.first = first
}

// settleKernel counts a connection of the kernel.
func (o *openings) settleKernel(r kernelconn.Result) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case r.Control.Acknowledged:
		o.kernel.proven++
		o.refused, o.kernel.refused = 0, false
	case r.Fate == kernelconn.Refused, r.Fate == kernelconn.Reset:
		o.refused++
		o.kernel.refused = true
	}
}

// awaitKernel lets the kernel's first connections end where the crafted ones were only refused: one of the kernel's may
// have been the only one that the target accepted.
func (o *openings) awaitKernel() {
	o.mu.Lock()
	first, asked := o.kernel.first, o.proven == 0 && o.refused > 0
	o.mu.Unlock()
	if first != nil && asked {
		<-first
	}
}
