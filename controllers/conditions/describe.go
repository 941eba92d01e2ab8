package conditions

import (
	"strings"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// described joins the messages of the first findings of one verdict. It starts with a colon, or is "".
func described(findings []v1alpha1.Finding, verdict report.Verdict) string {
	var messages []string
	for _, f := range findings {
		if f.Verdict == string(verdict) && f.Reason != v1alpha1.ReasonEndpointsRefused {
			messages = append(messages, describe(f))
		}
	}
	if len(messages) == 0 {
		return ""
	}
	return ": " + text.Listed(messages)
}

func describe(f v1alpha1.Finding) string {
	var words []string
	if f.Source != "" && f.Scope != v1alpha1.ScopeTopology { // its message names the node
		words = append(words, "node "+f.Source)
	}
	if f.Target != "" {
		words = append(words, "to "+f.Target)
	}
	return strings.Join(append(words, f.Message), " ")
}
