package run

import (
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// PrepareGuard makes the guard that Execute will need in another process, which is still starting. It returns nil where
// that process has to make it: by clsact, for several devices, or where it failed, since Execute says why.
func PrepareGuard(p *plan.Plan, node string, o Options) *guard.Handover {
	device, ok := onlyDevice(p, node, o.Device)
	if !ok || o.GuardMode == guard.Clsact {
		return nil
	}
	h, err := guard.Prepare(device)
	if err != nil {
		return nil
	}
	return h
}

// onlyDevice is the index of the device by which all of a node's targets are reached, if it is one.
func onlyDevice(p *plan.Plan, node, device string) (index int, ok bool) {
	for _, i := range p.Sources[node] {
		route, err := wire.Lookup(p.Targets[i].Address, device)
		if err != nil || index != 0 && index != route.Index {
			return 0, false
		}
		index = route.Index
	}
	return index, index != 0
}
