package text

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Listed joins at most four parts for a message and counts the rest.
func Listed(parts []string) string {
	const most = 4
	if len(parts) <= most {
		return strings.Join(parts, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(parts[:most], "; "), len(parts)-most)
}

// Several joins at most four names and counts the rest.
func Several(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
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

// Cut shortens s to at most limit bytes.
func Cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const more = "…"
	end := limit - len(more)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}

// SizeInJSON is the number of bytes that s takes in a JSON string.
func SizeInJSON(s string) int {
	text, err := json.Marshal(s)
	if err != nil {
		panic("controllers: a string does not marshal: " + err.Error())
	}
	return len(text) - len(`""`)
}

// CutJSON shortens s to at most limit bytes in a JSON string.
func CutJSON(s string, limit int) string {
	for s = Cut(s, limit); SizeInJSON(s) > limit; {
		s = Cut(s, len(s)*3/4)
	}
	return s
}
