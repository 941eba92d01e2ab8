package controllers

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// listed joins at most four parts for a message and counts the rest.
func listed(parts []string) string {
	const most = 4
	if len(parts) <= most {
		return strings.Join(parts, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(parts[:most], "; "), len(parts)-most)
}

// several names at most four things.
func several(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// sentence is the cluster's own word and message on one line.
func sentence(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p = strings.Join(strings.Fields(p), " "); p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, ": ")
}

// cut shortens s to at most limit bytes.
func cut(s string, limit int) string {
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

// written is how many bytes s has within JSON.
func written(s string) int {
	text, err := json.Marshal(s)
	if err != nil {
		panic("controllers: a string does not marshal: " + err.Error())
	}
	return len(text) - len(`""`)
}

// fitting shortens s to at most limit bytes within JSON.
func fitting(s string, limit int) string {
	for s = cut(s, limit); written(s) > limit; {
		s = cut(s, len(s)*3/4)
	}
	return s
}
