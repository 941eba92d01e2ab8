package plan

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/payload"
)

// Validate returns the first reason why p must not be carried out. The operator checks the plan before it writes it,
// and the prober checks it again. Both refuse denied destinations (see Denied).
func (p *Plan) Validate() error {
	for _, check := range []func() error{p.validHead, p.validRates, p.validTargets, p.validScenarios, p.validSources,
		p.validRestrictions, p.validQueues, p.validIdling} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// Allows reports whether the plan names dst as a target.
func (p *Plan) Allows(dst netip.AddrPort) bool {
	return slices.ContainsFunc(p.Targets, func(t Target) bool { return t.AddrPort() == dst })
}

// AddrPort returns the target's address and port.
func (t Target) AddrPort() netip.AddrPort { return netip.AddrPortFrom(t.Address, t.Port) }

func (p *Plan) validHead() error {
	switch {
	case p.APIVersion != APIVersion:
		return invalid("apiVersion %.40q; this prober reads %s", p.APIVersion, APIVersion)
	case !isName(p.Run, MaxRun):
		return invalid("run %.80q; need 1 to %d letters, digits, dots and dashes", p.Run, MaxRun)
	case len(p.Probe) > 2*MaxName+1:
		return invalid("probe has %d bytes; at most %d", len(p.Probe), 2*MaxName+1)
	case p.KernelConnections != "" && p.KernelConnections != Off:
		return invalid("kernelConnections %.40q; need %s or nothing", p.KernelConnections, Off)
	}
	return nil
}

func (p *Plan) validRates() error {
	switch {
	case p.Paths < 1 || p.Paths > MaxPaths:
		return invalid("paths %d; need 1 to %d", p.Paths, MaxPaths)
	case p.PacketsPerSecond < MinRate || p.PacketsPerSecond > MaxRate:
		return invalid("packetsPerSecond %d; need %d to %d", p.PacketsPerSecond, MinRate, MaxRate)
	case p.DeadlineSeconds < 1 || p.DeadlineSeconds > MaxDeadline:
		return invalid("deadlineSeconds %d; need 1 to %d", p.DeadlineSeconds, MaxDeadline)
	case !(p.Alpha > 0 && p.Alpha <= MaxAlpha): // in this form NaN is refused too
		return invalid("alpha %g; need more than 0 and at most %g", p.Alpha, MaxAlpha)
	}
	return nil
}

func (p *Plan) validTargets() error {
	if n := len(p.Targets); n < 1 || n > MaxTargets {
		return invalid("%d targets; need 1 to %d", n, MaxTargets)
	}
	seen := make(map[Target]int, len(p.Targets))
	for i, t := range p.Targets {
		if err := t.valid(i); err != nil {
			return err
		}
		key := Target{Address: t.Address, Port: t.Port, Via: t.Via}
		if j, twice := seen[key]; twice {
			return invalid("targets %d and %d are both %s via %s", j, i, t.AddrPort(), t.Via)
		}
		seen[key] = i
	}
	return nil
}

func (t Target) valid(i int) error {
	if !t.Address.IsValid() {
		return invalid("target %d has no address", i)
	}
	if why, yes := Denied(t.Address); yes {
		return invalid("target %d, %s, is never probed: %s", i, t.AddrPort(), why)
	}
	switch {
	case t.Address.Zone() != "":
		return invalid("target %d, %.80q, has a zone", i, t.AddrPort())
	case t.Port == 0:
		return invalid("target %d, %s, has port 0", i, t.Address)
	case !isCamelCase(t.Via):
		return invalid("target %d has via %.80q; need a word such as PodIP", i, t.Via)
	case len(t.Name) > MaxName || len(t.Node) > MaxName:
		return invalid("target %d has a name of more than %d bytes", i, MaxName)
	}
	return nil
}

func (p *Plan) validScenarios() error {
	if n := len(p.Scenarios); n < 1 || n > MaxScenarios {
		return invalid("%d scenarios; need 1 to %d", n, MaxScenarios)
	}
	seen := make(map[string]bool)
	for i, s := range p.Scenarios {
		if err := s.valid(i); err != nil {
			return err
		}
		key := cmp.Or(s.Name, s.Type)
		if seen[key] {
			return invalid("scenario %d is a second %q; give each its own name", i, key)
		}
		seen[key] = true
	}
	return nil
}

func (s Scenario) valid(i int) error {
	switch {
	case s.Name != "" && !isName(s.Name, MaxWord):
		return invalid("scenario %d has name %.80q; need at most %d letters, digits, dots and dashes", i, s.Name, MaxWord)
	case !isCamelCase(s.Type):
		return invalid("scenario %d has type %.80q; need a word such as Handshake", i, s.Type)
	case len(s.Variants) > MaxVariants:
		return invalid("scenario %d has %d variants; at most %d", i, len(s.Variants), MaxVariants)
	case !all(s.Variants, isCamelCase):
		return invalid("scenario %d has variants %.80q; need words such as Push", i, strings.Join(s.Variants, " "))
	case len(slices.Compact(slices.Sorted(slices.Values(s.Variants)))) < len(s.Variants):
		return invalid("scenario %d has a variant twice: %s", i, strings.Join(s.Variants, " "))
	}
	return cmp.Or(s.validPayload(i), s.validFinReorder(i))
}

func (s Scenario) validPayload(i int) error {
	sent, err := payload.Decode(s.Payload)
	_, known := payload.Named(s.PayloadPreset)
	switch {
	case err != nil:
		return invalid("scenario %d has payload %.80q: %v", i, s.Payload, err)
	case len(sent) > MaxPayload:
		return invalid("scenario %d has a payload of %d bytes; at most %d", i, len(sent), MaxPayload)
	case s.PayloadPreset != "" && s.Payload != "":
		return invalid("scenario %d has both payload and payloadPreset; at most one", i)
	case s.PayloadPreset != "" && !known:
		return invalid("scenario %d has payloadPreset %.80q; need one of %s", i, s.PayloadPreset,
			strings.Join(payload.Names(), ", "))
	}
	return nil
}

func (p *Plan) validSources() error {
	if n := len(p.Sources); n < 1 || n > MaxSources {
		return invalid("%d sources; need 1 to %d", n, MaxSources)
	}
	checks := len(p.Checks())
	for node, targets := range p.Sources {
		n := len(targets)
		switch {
		case !isName(node, MaxName):
			return invalid("source %.80q is no node name", node)
		case n < 1 || n > MaxSourceTargets:
			return invalid("source %s has %d targets; need 1 to %d", node, n, MaxSourceTargets)
		case n*checks > MaxVerdicts:
			return invalid("source %s has %d targets with %d checks each: more than the %d verdicts that one pod can report; "+
				"use fewer targets or variants",
				node, n, checks, MaxVerdicts)
		}
		if err := p.validPositions(node, targets); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) validPositions(node string, targets []int) error {
	seen := make(map[int]bool, len(targets))
	for _, t := range targets {
		if t < 0 || t >= len(p.Targets) {
			return invalid("source %s has target %d; the plan has 0 to %d", node, t, len(p.Targets)-1)
		}
		if seen[t] {
			return invalid("source %s has target %d twice", node, t)
		}
		seen[t] = true
	}
	return nil
}

// isName reports whether s is 1 to limit letters, digits, dots and dashes. Such a name is safe in JSON, in a path and
// on a terminal.
func isName(s string, limit int) bool {
	return s != "" && len(s) <= limit && all([]byte(s), func(c byte) bool {
		return alphanumeric(c) || c == '-' || c == '.'
	})
}

// isCamelCase reports whether s is one CamelCase word.
func isCamelCase(s string) bool {
	return s != "" && len(s) <= MaxWord && s[0] >= 'A' && s[0] <= 'Z' && all([]byte(s), alphanumeric)
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

func all[T any](list []T, ok func(T) bool) bool {
	return !slices.ContainsFunc(list, func(e T) bool { return !ok(e) })
}
