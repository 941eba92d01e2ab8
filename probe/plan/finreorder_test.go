package plan

import (
	"errors"
	"strings"
	"testing"
)

func TestFinReorderOptions(t *testing.T) {
	for _, c := range []struct {
		name, kind string
		options    *FinReorder
		says       string // empty: valid
	}{
		{"on accept", "FinReorder", &FinReorder{Trigger{OnAccept: true}, 20}, ""},
		{"text", "FinReorder", &FinReorder{Trigger{Send: "QUIT\r\n"}, 1}, ""},
		{"the longest text", "FinReorder", &FinReorder{Trigger{Send: strings.Repeat("x", MaxSend)}, MaxGapMillis}, ""},
		{"request", "FinReorder", &FinReorder{Trigger{HTTPGet: "/healthz?full=1"}, 20}, ""},
		{"other scenarios have none", "Handshake", nil, ""},
		{"no options", "FinReorder", nil, "has no trigger"},
		{"another scenario's options", "Handshake", &FinReorder{Trigger{OnAccept: true}, 20},
			"Handshake, has the options of FinReorder"},
		{"no trigger", "FinReorder", &FinReorder{Trigger{}, 20}, "0 triggers"},
		{"two triggers", "FinReorder", &FinReorder{Trigger{OnAccept: true, Send: "QUIT"}, 20}, "2 triggers"},
		{"a wrong escape", "FinReorder", &FinReorder{Trigger{Send: `\x1`}, 20}, "two hexadecimal digits"},
		{"three triggers", "FinReorder", &FinReorder{Trigger{true, "QUIT", "/"}, 20}, "3 triggers"},
		{"no gap", "FinReorder", &FinReorder{Trigger{OnAccept: true}, 0}, "gapMillis 0"},
		{"a long gap", "FinReorder", &FinReorder{Trigger{OnAccept: true}, MaxGapMillis + 1}, "gapMillis 1001"},
		{"a long text", "FinReorder", &FinReorder{Trigger{Send: strings.Repeat("x", MaxSend+1)}, 20}, "1025 bytes"},
		{"a long path", "FinReorder", &FinReorder{Trigger{HTTPGet: "/" + strings.Repeat("x", MaxPath)}, 20}, "513 bytes"},
		{"a path of its own", "FinReorder", &FinReorder{Trigger{HTTPGet: "healthz"}, 20}, `path "healthz"`},
		{"a path with more lines", "FinReorder", &FinReorder{Trigger{HTTPGet: "/ HTTP/1.1\r\nHost: other"}, 20}, "path"},
	} {
		p := example(t)
		p.Scenarios = []Scenario{{Type: c.kind, FinReorder: c.options}}
		switch err := p.Validate(); {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.says != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: error %v; want one that says %q", c.name, err, c.says)
		}
	}
}
