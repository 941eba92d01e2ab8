package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

func TestPlansThatCannotBeUsed(t *testing.T) {
	for _, c := range []struct{ name, plan, says string }{
		{"nothing", "", "not a whole plan document"},
		{"cut", examplePlan[:len(examplePlan)-9], "not a whole plan document"},
		{"hostile in size", examplePlan + strings.Repeat(" ", 1<<20), "at most 1048576"},
		{"hostile in depth", strings.Repeat("[", 1<<20), "not a whole plan document"},
		{"for another source", strings.Replace(examplePlan, "kn1", "kn2", 1), "kn1 is none of them"},
		{"with a denied target", strings.Replace(examplePlan, "10.244.2.2", "169.254.169.254", 1),
			"never probed: link-local or cloud metadata"},
		{"a flood", strings.Replace(examplePlan, `"packetsPerSecond": 200`, `"packetsPerSecond": 1000000`, 1),
			"packetsPerSecond 1000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t, "passes", c.plan)
			if status := p.end(t); status != exitRefused || !p.printed(c.says) || p.stdout.Len() > 0 {
				t.Errorf("status %d, stderr %q, stdout %q", status, p.stderrLines, p.stdout.String())
			}
			if p.plan == nil { // the plan that the operator sent
				p.plan = prepare(t, "", examplePlan).plan
			}
			if _, err := p.decode(); !errors.Is(err, report.ErrRefused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("summary: %v; want one that says %q", err, c.says)
			}
		})
	}
}

func TestMissingPlan(t *testing.T) {
	p := prepare(t, "passes", examplePlan)
	if err := os.Remove(strings.TrimPrefix(p.Args[1], "--plan=")); err != nil {
		t.Fatal(err)
	}
	p.begin(t)
	if status := p.end(t); status != exitRefused || !p.printed("plan.json: no such file") {
		t.Errorf("status %d, stderr %q", status, p.stderrLines)
	}
}
