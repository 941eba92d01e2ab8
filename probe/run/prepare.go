package run

import (
	"github.com/tcpprobe/tcpprobe/probe/guard"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/route"
)

// PrepareGuard makes the guard for Execute in another process, which is still starting. It returns nil if that process
// has to make it: with clsact, for several devices, or after an error. In the last case Execute reports the error.
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

// onlyDevice returns the index of the device by which all targets of a node are reached. It returns false if there are
// several.
func onlyDevice(p *plan.Plan, node, device string) (index int, ok bool) {
	for _, i := range p.Sources[node] {
		route, err := route.Lookup(p.Targets[i].AddrPort(), device)
		if err != nil || index != 0 && index != route.Index {
			return 0, false
		}
		index = route.Index
	}
	return index, index != 0
}
