package text

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// mostNamed is how many parts or names a message has. The rest is counted.
const mostNamed = 4

// Listed joins at most four parts for a message and counts the rest.
func Listed(parts []string) string {
	if len(parts) <= mostNamed {
		return strings.Join(parts, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(parts[:mostNamed], "; "), len(parts)-mostNamed)
}

// Several joins at most four names and counts the rest.
func Several(names []string) string {
	if len(names) <= mostNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), len(names)-mostNamed)
}

// Sentence joins a reason and a message that the cluster gave to one line, with a colon between them.
func Sentence(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p = strings.Join(strings.Fields(p), " "); p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, ": ")
}

// Cut shortens s to at most limit bytes. A limit with no room for the mark that something is missing leaves nothing.
func Cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const more = "…"
	if limit < len(more) {
		return ""
	}
	end := limit - len(more)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}

// SizeInJSON is the number of bytes that s takes in a JSON string.
func SizeInJSON(s string) int {
	text, err := json.Marshal(s)
	if err != nil {
		panic("text: a string does not marshal: " + err.Error())
	}
	return len(text) - len(`""`)
}

// CutJSON shortens s to at most limit bytes in a JSON string. A limit below zero leaves nothing, as zero does.
func CutJSON(s string, limit int) string {
	for s = Cut(s, limit); SizeInJSON(s) > max(limit, 0); {
		s = Cut(s, len(s)*3/4)
	}
	return s
}
