package run

import (
	"fmt"

	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// sampleOf is what a connection tells. One that ends after its data was acknowledged may have been ended by the
// application; one that ends before it sent its data tells nothing. Of one that was not waited for very long, a
// retransmission says that it stalled.
func sampleOf(r kernelconn.Result, short bool) verdict.KernelSample {
	s := verdict.KernelSample{Size: r.Size.String(), Crossing: r.Crossing,
		Took: r.Control.Took + r.Data.Took + r.Rest.Took}
	again := r.Control.Retransmissions+r.Data.Retransmissions+r.Rest.Retransmissions > 0
	silent := r.Fate == kernelconn.Silent
	delivered := r.Fate == kernelconn.Acknowledged || r.Data.Acknowledged && !silent
	switch {
	case !r.Opened, r.Fate == kernelconn.Overtaken:
		s.Took = 0
	case delivered && !again:
		s.Fate = verdict.KernelUnharmed
	case delivered || silent && short && again:
		s.Fate = verdict.KernelStalled
	case silent:
		s.Fate = verdict.KernelSilent
	case r.Data.Sent:
		s.Fate = verdict.KernelDied
	}
	waited := max(r.Control.Took, r.Data.Took, r.Rest.Took)
	if silent && waited < kernelPatience || s.Fate == verdict.KernelDied {
		s.Took = 0 // how long it would have taken is not known
	}
	return s
}

// learn keeps what a connection says about those to come.
func (k *kernelTest) learn(r kernelconn.Result, s verdict.KernelSample) {
	if r.Fate == kernelconn.Reset && !r.Crossing {
		k.resets++
	}
	if !r.Opened && r.Crossing {
		k.unopened[1]++
	} else if !r.Opened {
		k.unopened[0]++
	}
	switch {
	case r.Fate == kernelconn.Overtaken:
		k.evidence.Overtaken = true
	case s.Fate == verdict.KernelVoid && r.Opened:
		k.void = closedByApplication
	case s.Fate == verdict.KernelVoid && k.void == "":
		k.void = fmt.Sprintf("this host's own connections are not established (%v)", r.Err)
	case s.Fate == verdict.KernelSilent:
		k.patience = shortPatience
		if !r.Crossing {
			k.silent++
		}
	}
}

// forgive lets a connection that died tell nothing where controls die as well: the application closes them.
func (k *kernelTest) forgive(s *verdict.KernelSample) {
	if k.resets > 0 && s.Fate == verdict.KernelDied {
		s.Fate, k.void = verdict.KernelVoid, closedByApplication
	}
}

const closedByApplication = "the application closes connections with unfinished requests; " +
	"set a payload that it waits on"
