package cli

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

func TestPayload(t *testing.T) {
	q := probeFlags("Handshake", "SequenceWrap")
	for _, c := range []payloadFlags{{payload: `HELO \r\n`}, {payload: `\x00\0\xff\\`}, {preset: "postgres"}} {
		q.payloadFlags = c
		p, err := q.Plan("host", someTargets)
		if err != nil || p.Validate() != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		for _, s := range p.Scenarios {
			if s.Payload != c.payload || s.PayloadPreset != c.preset {
				t.Errorf("%+v: %+v", c, s)
			}
		}
	}
}

func TestPayloadsRefused(t *testing.T) {
	for says, c := range map[string]payloadFlags{
		"--payload of 1025 bytes: want at most 1024":  {payload: strings.Repeat("x", plan.MaxPayload+1)},
		"--payload of 1026 bytes":                     {payload: strings.Repeat(`\x00`, plan.MaxPayload+2)},
		`--payload \x0: "\\x0" is no escape`:          {payload: `\x0`},
		"--payload and --payload-preset: want one":    {payload: "x", preset: "redis"},
		"--payload-preset gopher: want one of http, ": {preset: "gopher"},
	} {
		q := probeFlags("Handshake")
		q.payloadFlags = c
		if _, err := q.Plan("host", someTargets); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v; want one that says %q", err, says)
		}
	}
}
