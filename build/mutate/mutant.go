package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// Mutant is the package with one change.
type Mutant struct {
	number   int
	file     *File
	function *function // nil if the change is outside of functions
	start    int       // offsets of the text that is replaced
	end      int
	text     string // that replaces it

	Place  string `json:"place"` // file:line
	Name   string `json:"name"`  // file, function and change, as in the list of equivalent mutants
	Reason string `json:"reason,omitempty"`

	outcome outcome
}

// outcome is the result of a mutant.
type outcome int

const (
	survived outcome = iota
	killed
	timedOut
	invalid // it does not compile
)

func (s *finder) add(n ast.Node, start, end int, text string) {
	from, to := s.file.offset(s.p.fset, n.Pos()), s.file.offset(s.p.fset, n.End())
	before := string(s.file.text[from:to])
	after := string(s.file.text[from:start]) + text + string(s.file.text[end:to])
	where := s.file.name
	if s.inside != nil && s.inside.name != nil {
		where += " " + s.inside.String()
	}
	name := fmt.Sprintf("%s: %s -> %s", where, oneLine(before), oneLine(after))
	s.seen[name]++
	if again := s.seen[name]; again > 1 {
		name += fmt.Sprintf(" (%d)", again)
	}
	line := s.p.fset.Position(n.Pos()).Line
	s.all = append(s.all, &Mutant{file: s.file, function: s.inside, start: start, end: end, text: text,
		Place: fmt.Sprintf("%s:%d", s.file.name, line), Name: name})
}

func oneLine(text string) string {
	const most = 100
	text = strings.Join(strings.Fields(text), " ")
	switch {
	case text == "":
		return "(removed)"
	case len(text) > most:
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

func (s *finder) source(n ast.Node) string { return s.sourceBetween(n.Pos(), n.End()) }

func (s *finder) sourceBetween(start, end token.Pos) string {
	return string(s.file.text[s.file.offset(s.p.fset, start):s.file.offset(s.p.fset, end)])
}
