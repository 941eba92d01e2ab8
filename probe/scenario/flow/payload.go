package flow

import (
	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// Payloads returns what connections of the scenario to that port carry, in the order in which it is tried. The plan is
// valid, so its text can be decoded and its preset exists.
func Payloads(s plan.Scenario, port uint16) []payload.Source {
	if own, err := payload.Decode(s.Payload); err == nil && len(own) > 0 {
		return []payload.Source{payload.Repeated(own)}
	}
	if p, known := payload.Named(s.PayloadPreset); known {
		return []payload.Source{p.Source()}
	}
	return payload.Default(port)
}

// Payloads returns what the flow's connections carry, in the order in which it is tried.
func (e *Env) Payloads() []payload.Source { return Payloads(e.Spec, e.Remote.Port()) }
