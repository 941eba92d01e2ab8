// Package section replaces generated parts of files that people write: the lines between a marker with a name and the
// next end marker.
package section

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Markers of a section. In Go they have the form of controller-gen's markers, which it does not know and leaves out of
// descriptions.
const (
	beginInGo       = "// +tcpprobe:generated:"
	endInGo         = "// +tcpprobe:generated-end"
	beginInMarkdown = "<!-- generated: "
	endInMarkdown   = "<!-- generated end -->"
)

// Rewrite replaces all sections of the file. sections has their lines by name. The file must have exactly these
// sections.
func Rewrite(file string, sections map[string][]string) error {
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	after, err := Replace(string(before), sections)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(after), 0o644)
}

// Replace is the text with its sections replaced. Their lines are indented like the marker.
func Replace(text string, sections map[string][]string) (string, error) {
	missing := maps.Clone(sections)
	var out []string
	inside := ""
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimLeft(line, "\t")
		indent := line[:len(line)-len(trimmed)]
		name, begins := begin(trimmed)
		switch {
		case begins && inside != "":
			return "", fmt.Errorf("section %q begins inside of %q", name, inside)
		case begins:
			lines, known := missing[name]
			if !known {
				return "", fmt.Errorf("section %q is none, or there twice", name)
			}
			delete(missing, name)
			inside = name
			out = append(out, line)
			for _, l := range lines {
				out = append(out, strings.TrimRight(indent+l, "\t"))
			}
		case trimmed == endInGo, trimmed == endInMarkdown:
			if inside == "" {
				return "", errors.New("a section ends that did not begin")
			}
			inside = ""
			out = append(out, line)
		case inside == "":
			out = append(out, line)
		}
	}
	if inside != "" {
		return "", fmt.Errorf("section %q does not end", inside)
	}
	if len(missing) > 0 {
		return "", fmt.Errorf("has no section %q", slices.Sorted(maps.Keys(missing)))
	}
	return strings.Join(out, "\n"), nil
}

// begin is the name of the section that begins with the line.
func begin(line string) (name string, ok bool) {
	if name, ok := strings.CutPrefix(line, beginInGo); ok {
		return name, true
	}
	name, ok = strings.CutPrefix(line, beginInMarkdown)
	return strings.TrimSuffix(name, " -->"), ok
}

// Wrap breaks text at spaces into lines of at most width characters. The first line gets one prefix and the others
// another. No line but the first begins with what Markdown takes for the beginning of a list or a heading.
func Wrap(text string, width int, first, other string) (lines []string) {
	line := first
	empty := true
	for _, word := range words(text) {
		switch {
		case empty:
			line += word
		case len([]rune(line))+1+len([]rune(word)) > width && !opensBlock(word):
			lines = append(lines, line)
			line = other + word
		default:
			line += " " + word
		}
		empty = false
	}
	return append(lines, line)
}

// words are the words of the text. A piece in backticks is one word.
func words(text string) (out []string) {
	open := false
	for w := range strings.FieldsSeq(text) {
		if open {
			out[len(out)-1] += " " + w
		} else {
			out = append(out, w)
		}
		open = open != (strings.Count(w, "`")%2 == 1)
	}
	return out
}

// opensBlock reports whether Markdown takes the word, at the beginning of a line, for the beginning of a block.
func opensBlock(word string) bool {
	number := strings.TrimRight(word, ".)")
	numbered := number != word && number != "" && strings.Trim(number, "0123456789") == ""
	return numbered || strings.Trim(word, "-+*#>=|") == ""
}
