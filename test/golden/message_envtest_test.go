//go:build envtest

package golden

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// message is a prober's termination message, the short report, in its wire format.
type message struct {
	Raw      string            `json:"raw"`      // the whole message
	Run      string            `json:"run"`      // instead of the plan's
	Verdicts []string          `json:"verdicts"` // one string for each target, one letter (PFI-) for each check
	Groups   []json.RawMessage `json:"groups"`   // "ALL" stands for the positions of all targets
	Way      string            `json:"way"`      // path type to all targets: overlay or routed
	Leaked   int               `json:"leaked"`
	Error    string            `json:"error"`
	Cut      int               `json:"cut"`
}

func (m *message) text(planJSON, node string) (string, error) {
	if m.Raw != "" {
		return m.Raw, nil
	}
	p, err := readPlan(planJSON)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	member := func(format string, arguments ...any) { fmt.Fprintf(&out, format, arguments...) }
	all := "0" // the positions of all targets of this source
	if last := len(p.Sources[node]) - 1; last > 0 {
		all = fmt.Sprintf("0-%d", last)
	}
	run := p.Run
	if m.Run != "" {
		run = m.Run
	}
	member(`{"apiVersion":"report.tcpprobe.dev/v1alpha1","run":%q,"source":%q`, run, node)
	if m.Error != "" {
		member(`,"matrix":"","error":%s}`, mustJSON(m.Error))
		return out.String(), nil
	}
	member(`,"matrix":%q`, matrix(m.Verdicts, p, node))
	if len(m.Groups) > 0 {
		member(`,"groups":%s`, strings.ReplaceAll(mustJSON(m.Groups), `"ALL"`, mustJSON(all)))
	}
	if m.Cut > 0 {
		member(`,"cut":%d`, m.Cut)
	}
	member(`,"guard":"tcx","kernel":"6.18.44"`)
	if m.Leaked > 0 {
		member(`,"leakedFlows":%d`, m.Leaked)
	}
	member(`,"durationMicros":1234567`)
	if m.Way != "" {
		member(`,%q:%q`, m.Way, all)
	}
	return out.String() + "}", nil
}

// matrix has two bits for each target and check, four pairs to a byte, lowest first. They are 0 for what was not
// asked.
func matrix(verdicts []string, p *plan, node string) string {
	targets, checks := p.Sources[node], p.checks()
	bits := make([]byte, (len(targets)*len(checks)+3)/4)
	for position, target := range targets {
		for check, restriction := range checks {
			if restriction != nil && !slices.Contains(restriction[node], target) {
				continue
			}
			word := verdicts[min(position, len(verdicts)-1)]
			letter := word[min(check, len(word)-1)]
			i := position*len(checks) + check
			bits[i/4] |= byte(strings.IndexByte("-PFI", letter)) << (2 * (i % 4))
		}
	}
	return base64.RawURLEncoding.EncodeToString(bits)
}
