package main

import (
	"fmt"
	"strings"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/internal/tablegen/section"
	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/reason"
	"github.com/tcpprobe/tcpprobe/probe/rule"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// columns is the length of lines in documents.
const columns = 120

// item is one entry of a list: head and text, and further sentences on lines of their own.
func item(head, text string, more ...string) []string {
	lines := section.Wrap(head+": "+sentence(text), columns, "* ", "  ")
	for _, m := range more {
		if m != "" {
			lines[len(lines)-1] += "\\"
			lines = append(lines, section.Wrap(m, columns, "  ", "  ")...)
		}
	}
	return lines
}

// sentence ends the text with a full stop, if it has no end.
func sentence(text string) string {
	if strings.HasSuffix(text, "?") || strings.HasSuffix(strings.TrimRight(text, "*"), ".") {
		return text
	}
	return text + "."
}

func whatToDo(text string) string {
	if text == "" {
		return ""
	}
	return "*What to do:* " + sentence(text)
}

// variants lists what each variant sends and how it is judged.
func variants() (lines []string) {
	for _, v := range variant.All() {
		head := "**`" + v.Name + "`**"
		if v.Name == variant.Default().Name {
			head += " (default)"
		}
		lines = append(lines, item(head, v.Sent, "*Arrived if* "+sentence(v.Arrived)+" *Control:* "+sentence(v.Control))...)
	}
	return lines
}

// presets lists what each preset of payloads sends, and why that is harmless.
func presets() (lines []string) {
	for _, p := range payload.Presets() {
		lines = append(lines, item("**`"+p.Name+"`**", p.Sends, "*Harmless:* "+sentence(p.Harmless))...)
	}
	return lines
}

// rules lists what each rule drops and the devices that it is known from.
func rules() (lines []string) {
	for _, r := range rule.All() {
		known := "Known from nobody so far."
		if r.Devices != "" {
			known = "*Known from* " + sentence(r.KnownFrom())
		}
		lines = append(lines, item("**`"+r.Name+"`**", r.Drops, known)...)
	}
	return lines
}

// reasons lists the prober's reasons with a meaning of their own in the scenario. With "" it lists those that mean the
// same in all.
func reasons(scenario string) (lines []string) {
	for _, r := range reason.All() {
		if m, ok := r.In(scenario); ok {
			head := fmt.Sprintf("**%s / %s**", r.Verdict, r.Name)
			if scenario == "" {
				head = "**" + r.Name + "**"
			}
			lines = append(lines, item(head, m.Means, whatToDo(m.Do))...)
		}
	}
	return lines
}

// explanations lists the operator's reasons of a condition, a source or a result.
func explanations(subject string) (lines []string) {
	for _, e := range v1alpha1.Explanations() {
		if e.Subject != subject {
			continue
		}
		head := fmt.Sprintf("**%s / %s**", e.Status, e.Reason)
		if e.Status == "" {
			head = "**" + e.Reason + "**"
		}
		lines = append(lines, item(head, e.Means, whatToDo(e.Do))...)
	}
	return lines
}
