//go:build net

package golden

import (
	"encoding/json"
	"regexp"
	"strings"
)

// progressLines matches what is printed only if a run takes long.
var progressLines = regexp.MustCompile(`(?m)^(stderr:\n)?(still .*\n|.* rules done.*\n)+`)

// normalise replaces what differs from run to run.
func (r labRun) normalise(text string) string {
	var out []string
	for line := range strings.Lines(progressLines.ReplaceAllString(text, "")) {
		if whole, is := indented(line); is && strings.HasPrefix(line, "{") {
			out = append(out, r.fromJSON(whole)...)
			continue
		}
		if strings.HasPrefix(line, "exit status") && r.random {
			continue
		}
		out = append(out, strings.TrimSuffix(line, "\n"))
	}
	return apply(tableRules, strings.Join(withReducedEvidence(out), "\n")) + "\n"
}

// tableSegment matches a line of evidence in a table.
var tableSegment = regexp.MustCompile(`^    (\+\d+\.\d+ |… \d+ more of these)`)

// withReducedEvidence reduces the evidence in tables, and the messages of findings.
func withReducedEvidence(lines []string) (out []string) {
	var evidence []string
	for _, line := range append(lines, "") {
		if tableSegment.MatchString(line) {
			evidence = append(evidence, line)
			continue
		}
		for _, segment := range reducedEvidence(evidence) {
			out = append(out, "    "+segment)
		}
		evidence = nil
		if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") {
			line = apply(wordRules, line)
		}
		out = append(out, line)
	}
	return out[:len(out)-1]
}

// variesByChance matches fields of a result that vary where the switch drops at random.
var variesByChance = regexp.MustCompile(
	`^\s+"(verdict|reason|message|rule|alpha|stallMillis|tried|pass|fail|inconclusive|failed|of|low|high|coverage)":`)

// capture matches a field that is there only if something failed.
var capture = regexp.MustCompile(`,\n\s+"capture": "PCAPNG"`)

// ofKernel is what the kernel's own connections came to.
var ofKernel = regexp.MustCompile(`(?s),\n(\s+)"kernelConnections": \[\n.*?\n\s+\](,?\n)`)

// fromJSON are the lines of an indented document, with evidence and messages reduced.
func (r labRun) fromJSON(text string) (out []string) {
	var evidence []string
	inside := "" // the field whose lines are collected or left out
	text = apply(jsonRules, text)
	if r.random {
		text = strings.ReplaceAll(text, `"dropped": 0`, `"dropped": N`)
		text = capture.ReplaceAllString(text, "")
		text = ofKernel.ReplaceAllString(text, "$2")
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		member, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case inside != "":
			if end := strings.TrimSpace(line); end == "]" || end == "]," || end == "}" || end == "}," {
				switch {
				case r.random:
				case r.evidenceVaries:
					out = append(out, line)
				default:
					out = append(out, renderedEvidence(evidence, line)...)
				}
				inside, evidence = "", nil
				continue
			}
			evidence = append(evidence, line)
		case member == `"evidence"` && strings.HasSuffix(line, "["),
			r.random && (member == `"share"` || member == `"queue"` || member == `"rttMicros"`) && strings.HasSuffix(line, "{"):
			inside = member
			if !r.random {
				out = append(out, line)
			}
		case r.random && variesByChance.MatchString(line):
		case member == `"message"`:
			out = append(out, apply(wordRules, line))
		default:
			out = append(out, line)
		}
	}
	return out
}

func renderedEvidence(lines []string, end string) []string {
	var texts []string
	for _, line := range lines {
		var text string
		if json.Unmarshal([]byte(strings.TrimSuffix(strings.TrimSpace(line), ",")), &text) == nil {
			texts = append(texts, text)
		}
	}
	var out []string
	for _, segment := range reducedEvidence(texts) {
		out = append(out, "          "+segment)
	}
	return append(out, end)
}
