package run

import (
	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/variant"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// coverage returns what a Pass of SequenceWrap rests on; nil for any other result.
func (a *answer) coverage(r report.Result) *report.Coverage {
	v, known := variant.Named(r.Variant)
	if r.Scenario != "SequenceWrap" || r.Verdict != report.Pass || !known {
		return nil
	}
	ports := make(map[uint16]bool)
	var sum conn.Segments
	for _, f := range a.flows {
		if f.Verdict == report.Pass {
			ports[f.Port] = true
			sum = sum.Plus(f.Segments)
		}
	}
	c := &report.Coverage{SourcePorts: len(ports), Options: sum.Suspects.Options, Direction: report.ToTarget}
	switch {
	case v.Where == variant.FromPeer:
		c.Direction = report.FromTarget
	case v.Zero == variant.Acknowledgment:
		c.Direction = report.BothWays // the RST that answers has the number 0
	}
	if v.Where == variant.Crossing || v.Where == variant.Connection {
		age := sum.Suspects.Age
		c.Connections = &report.Connections{Idle: age.Idle >= report.IdleFrom, LongLived: age.Open >= report.LongLivedFrom}
	}
	if n := sum.Suspects.Lengths; len(n) > 0 && n[len(n)-1] > 0 {
		c.Bytes = &report.Lengths{Least: n[0], Most: n[len(n)-1], Different: len(n)}
	}
	return c
}

// coverKernel adds what ordinary connections carried across 0, or removes the coverage of what passes no more.
func coverKernel(r *report.Result, k report.KernelConnections) {
	switch {
	case r.Verdict != report.Pass:
		r.Covers = nil
	case r.Covers != nil && verdict.AsksKernel(*r) && k.Outcome == report.KernelUnharmed:
		r.Covers.Kernel = kernelCoverage(k)
	}
}

func kernelCoverage(k report.KernelConnections) *report.KernelCoverage {
	c := &report.KernelCoverage{MSS: k.MSS}
	for _, s := range k.Sizes {
		if s.Crossing.Unharmed > 0 {
			c.Sizes = append(c.Sizes, s.Size)
		}
	}
	if k.Timestamps {
		c.Options = append(c.Options, "Timestamps")
	}
	if k.SACK {
		c.Options = append(c.Options, "SACKPermitted")
	}
	if len(c.Sizes) == 0 {
		return nil
	}
	return c
}
