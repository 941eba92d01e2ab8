package plan

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// bounds has the upper bounds of a plan. Each is a literal number, so that a changed constant fails the test.
var bounds = map[string]struct {
	most   int
	change func(p *Plan, n int)
}{
	"characters of a run":    {63, func(p *Plan, n int) { p.Run = strings.Repeat("a", n) }},
	"characters of a probe":  {507, func(p *Plan, n int) { p.Probe = strings.Repeat("a", n) }},
	"paths":                  {256, func(p *Plan, n int) { p.Paths = n }},
	"packets a second":       {2000, func(p *Plan, n int) { p.PacketsPerSecond = n }},
	"seconds":                {3600, func(p *Plan, n int) { p.DeadlineSeconds = n }},
	"targets":                {4096, func(p *Plan, n int) { p.Targets = targets(n) }},
	"characters of a pod":    {253, func(p *Plan, n int) { p.Targets[0].Name = strings.Repeat("a", n) }},
	"characters of a node":   {253, func(p *Plan, n int) { p.Targets[0].Node = strings.Repeat("a", n) }},
	"characters of a way":    {63, func(p *Plan, n int) { p.Targets[0].Via = strings.Repeat("Z", n) }},
	"sources":                {1000, func(p *Plan, n int) { p.Sources = sources(n, 0) }},
	"characters of a source": {253, func(p *Plan, n int) { p.Sources[strings.Repeat("a", n)] = []int{0} }},
	"targets of a source": {128, func(p *Plan, n int) {
		p.Targets = targets(n)
		p.Sources = sources(1,
			upTo(n)...)
	}},
	"scenarios":                {8, func(p *Plan, n int) { p.Scenarios = scenarios(n) }},
	"characters of a scenario": {63, func(p *Plan, n int) { p.Scenarios[0].Name = strings.Repeat("z", n) }},
	"variants":                 {16, func(p *Plan, n int) { p.Scenarios[1].Variants = words(n) }},
	"bytes of a payload":       {1024, func(p *Plan, n int) { p.Scenarios[1].Payload = strings.Repeat("a", n) }},
	"milliseconds of a gap":    {1000, func(p *Plan, n int) { withFinReorder(p, FinReorder{Trigger{OnAccept: true}, n}) }},
	"bytes to have the peer end": {1024, func(p *Plan, n int) {
		withFinReorder(p, FinReorder{Trigger{Send: strings.Repeat("x",
			n)}, 20})
	}},
	"bytes of a path": {512, func(p *Plan, n int) {
		withFinReorder(p,
			FinReorder{Trigger{HTTPGet: "/" + strings.Repeat("x", n-1)}, 20})
	}},
	"connections of a queue": {4200, func(p *Plan, n int) { withFilling(p, 2000, n) }},
	// 4 segments a connection and 100 before: 16,880 segments
	"connections in 332 seconds": {4195, func(p *Plan, n int) { withFilling(p, 51, n); p.DeadlineSeconds = 332 }},
	// with one more: 16,728 segments, exactly 51 times 328
	"connections in 329 seconds": {4156, func(p *Plan, n int) { withFilling(p, 51, n); p.DeadlineSeconds = 329 }},
}

// withFinReorder makes FinReorder the plan's only scenario.
func withFinReorder(p *Plan, f FinReorder) {
	p.Scenarios = []Scenario{{Type: "FinReorder", FinReorder: &f}}
}

// withFilling makes AcceptQueue the plan's only scenario, from one source to one target.
func withFilling(p *Plan, packetsPerSecond, connections int) {
	p.PacketsPerSecond, p.DeadlineSeconds = packetsPerSecond, 3600
	p.Scenarios, p.Sources = []Scenario{queue(connections)}, sources(1, 0)
}

func TestBounds(t *testing.T) {
	for name, b := range bounds {
		for n, valid := range map[int]bool{b.most: true, b.most + 1: false} {
			p := example(t)
			b.change(p, n)
			if err := p.Validate(); (err == nil) != valid || err != nil && !errors.Is(err, ErrInvalid) {
				t.Errorf("%d %s: %v", n, name, err)
			}
		}
	}
}

// A plan may have one mebibyte, as a ConfigMap may.
func TestSizeOfAPlan(t *testing.T) {
	for size, valid := range map[int]bool{1_048_576: true, 1_048_577: false} {
		b := golden(t)
		_, err := Decode(append(b, bytes.Repeat([]byte(" "), size-len(b))...))
		if (err == nil) != valid {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// The allowed characters are accepted. Their neighbours in ASCII are refused.
func TestCharactersOfNames(t *testing.T) {
	for _, good := range "09AZaz-." {
		if !isName(string(good), 1) {
			t.Errorf("%q is no token", good)
		}
	}
	for _, bad := range "/:@[`{,_ \x00é" {
		if isName(string(bad), 9) || isCamelCase("W"+string(bad)) {
			t.Errorf("%q is accepted", bad)
		}
	}
	for text, is := range map[string]bool{"A": true, "Z": true, "Z9z": true, "@": false, "[": false, "a": false,
		"": false, "A-": false, "A.": false} {
		if isCamelCase(text) != is {
			t.Errorf("%q: %t", text, !is)
		}
	}
	for text, is := range map[string]bool{
		"/": true, "/!~": true, "/\x7f": false, "/é": false,
		"/ ": false, //nolint:gocritic // a blank is a case of the test
	} {
		if isRequestPath(text) != is {
			t.Errorf("path %q: %t", text, !is)
		}
	}
}

func TestOneTargetIsEnough(t *testing.T) {
	p := example(t)
	p.Targets, p.Sources = targets(1), sources(1, 0)
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
}

// Every AcceptQueue scenario is checked, also one that follows a scenario which the source does not run.
func TestEveryQueueIsChecked(t *testing.T) {
	p := withAcceptQueue(t, func(p *Plan) { last(p).Only = map[string][]int{"kn1": {1}}; p.Targets[1].Via = "ClusterIP" })
	if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "ask the pods") {
		t.Errorf("a ClusterIP's queue, after one that the source does not fill: %v", err)
	}
	p = example(t)
	p.Sources = map[string][]int{"kn1": {0, 1}, "kn2": {0, 1}}
	p.Scenarios[0] = queue(8)
	p.Scenarios[0].Only = map[string][]int{"kn1": {1}, "kn2": {1}}
	const want = "sources kn1 and kn2 would both fill the accept queue of target 1"
	if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a queue of two sources, after a scenario that no source runs: %v", err)
	}
}

// A source may need exactly the deadline.
func TestQueuesMayTakeTheWholeDeadline(t *testing.T) {
	for seconds, valid := range map[int]bool{24: true, 23: false} {
		err := withAcceptQueue(t, func(p *Plan) { p.DeadlineSeconds = seconds }).Validate()
		if (err == nil) != valid {
			t.Errorf("two queues of 12 s each in %d s: %v", seconds, err)
		}
	}
}

// IdleTimeout takes its silence, 15 s, and the time that 200 segments take, for 16 connections to a target at most.
func TestIdleSeconds(t *testing.T) {
	for rate, want := range map[int]int{10: 65, 200: 46, 201: 45} {
		if got := IdleSeconds(30, rate); got != want {
			t.Errorf("30 s of silence at %d packets a second take %d s; want %d", rate, got, want)
		}
	}
	if IdleConnections != 16 {
		t.Errorf("%d connections at the same time", IdleConnections)
	}
}

func TestNamesOfChecks(t *testing.T) {
	for want, c := range map[string]Check{"Handshake": {Type: "Handshake"}, "SequenceWrap/Fin": {Type: "SequenceWrap",
		Variant: "Fin"}} {
		if got := c.String(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

func TestAllowedAddressIsNotDenied(t *testing.T) {
	if why, yes := Denied(addr("10.1.2.3")); yes || why != "" {
		t.Errorf("%t, %q", yes, why)
	}
}

func TestLongProbeIsToldTheBound(t *testing.T) {
	p := example(t)
	p.Probe = strings.Repeat("a", 508)
	if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "at most 507") {
		t.Error(err)
	}
}
