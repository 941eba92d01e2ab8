package cli

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

func TestTriggers(t *testing.T) {
	for text, want := range map[string]plan.Trigger{
		"on-accept":              {OnAccept: true},
		`send=QUIT\r\n`:          {Send: `QUIT\r\n`},
		`send=\x00\\nb=c`:        {Send: `\x00\\nb=c`},
		"http-get":               {HTTPGet: "/"},
		"http-get=/healthz?ok=1": {HTTPGet: "/healthz?ok=1"},
	} {
		q := probeFlags("Handshake", "FinReorder")
		q.Trigger = text
		p, err := q.Plan("host", someTargets)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := p.Scenarios[1].FinReorder; got == nil || got.Trigger != want || got.GapMillis != DefaultGap ||
			p.Scenarios[0].FinReorder != nil {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTriggersRefused(t *testing.T) {
	for text, says := range map[string]string{
		"":              "needs what makes the peer close",
		"on-accept=now": "want on-accept",
		"send":          "want on-accept",
		"send=":         "want on-accept",
		"http-get=":     "want on-accept",
		"http-get=a":    "begins with /",
		"close":         "want on-accept",
		`send=a\q`:      `--trigger send=a\q: "\\q" is no escape`,
		"send=" + strings.Repeat("x", plan.MaxSend+1): "--trigger sends 1025 bytes: want at most 1024",
	} {
		q := probeFlags("FinReorder")
		q.Trigger = text
		if _, err := q.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v; want one that says %q", text, err, says)
		}
	}
	q := probeFlags("Handshake")
	q.Trigger = "on-accept"
	if _, err := q.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), "add --scenario FinReorder") {
		t.Errorf("a trigger without FinReorder: %v", err)
	}
	for _, gap := range []int{0, plan.MaxGapMillis + 1} {
		q := probeFlags("FinReorder")
		q.Trigger, q.GapMillis = "on-accept", gap
		if _, err := q.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), "--gap") {
			t.Errorf("a gap of %d: %v", gap, err)
		}
	}
}
