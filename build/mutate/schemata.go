package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
)

// One program has all mutants of functions (mutant schemata). Each is a copy of its function with the change. The
// function begins by asking which mutant this process is. So a package with a thousand mutants is compiled and linked
// once. Copies of a function literal stand in the literal itself, since they may use what is around it. Mutants outside
// of functions are compiled one by one.

// environment is the variable with the number of the process's mutant.
const environment = "TCPPROBE_MUTANT"

// selector is a file that is added to the package.
const selector = `package %s

import (
	"os"
	"strconv"
)

var mutant__, _ = strconv.Atoi(os.Getenv("` + environment + `"))
`

// schemata has the package's files, by path, with the copies of all valid mutants. It marks the other mutants as
// invalid.
func (p *Package) schemata(all []*Mutant) (map[string][]byte, error) {
	for {
		files := map[string][]byte{}
		for _, f := range p.files {
			if f.mutated {
				files[f.path] = f.withCopies(p, mutantsOf(f, all))
			}
		}
		files[filepath.Join(p.folder, "mutant__.go")] = fmt.Appendf(nil, selector, p.files[0].tree.Name.Name)
		found, err := p.markInvalid(files, all)
		if err != nil || !found {
			return files, err
		}
	}
}

// mutantsOf are the mutants of a file's functions that are not marked as invalid.
func mutantsOf(f *File, all []*Mutant) []*Mutant {
	var mine []*Mutant
	for _, m := range all {
		if m.file == f && m.function != nil && m.outcome != invalid {
			mine = append(mine, m)
		}
	}
	return mine
}

// markInvalid marks the mutants that the compiler would refuse.
func (p *Package) markInvalid(files map[string][]byte, all []*Mutant) (found bool, err error) {
	var trees []*ast.File
	for _, f := range p.files {
		if _, changed := files[f.path]; !changed {
			trees = append(trees, f.tree)
		}
	}
	for path, text := range files {
		tree, err := parser.ParseFile(p.fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			return false, err
		}
		trees = append(trees, tree)
	}
	p.typeCheck(trees, func(problem types.Error) {
		at := p.fset.PositionFor(problem.Pos, false)
		number := copyAround(files[at.Filename], at.Offset)
		if number == 0 {
			err = fmt.Errorf("a copy does not compile, and it is no mutant: %w", problem)
			return
		}
		all[number-1].outcome = invalid
		found = true
	})
	return found, err
}

// mark is the comment before a copy. The text after the last mark belongs to that mutant.
const mark = "\n//mutant__ "

func copyAround(text []byte, offset int) (number int) {
	if i := bytes.LastIndex(text[:offset], []byte(mark)); i >= 0 {
		_, _ = fmt.Sscan(string(text[i+len(mark):]), &number)
	}
	return number
}

// withCopies is the file with the copies of its mutants. Each original function begins with a choice among them.
func (f *File) withCopies(p *Package, mine []*Mutant) []byte {
	var edits []edit
	var copies strings.Builder
	for i := 0; i < len(mine); {
		function := mine[i].function
		end := i + 1
		for end < len(mine) && mine[end].function == function {
			end++
		}
		edits = append(edits, f.choice(p, function, mine[i:end])...)
		for _, m := range mine[i:end] {
			if function.name != nil {
				copies.WriteString(f.copy(p, m))
			}
		}
		i = end
	}
	return append(apply(f.text, edits), copies.String()...)
}

// copy is the mutant's function, under a unique name if it has one.
func (f *File) copy(p *Package, m *Mutant) string {
	start, end := f.offset(p.fset, m.function.Pos()), f.offset(p.fset, m.function.End())
	edits := append(f.parameters(p, m.function), edit{m.start, m.end, m.text})
	if m.function.name != nil {
		name := f.offset(p.fset, m.function.name.End())
		edits = append(edits, edit{name, name, m.suffix()})
	}
	for i := range edits {
		edits[i].start -= start
		edits[i].end -= start
	}
	return fmt.Sprintf("%s%d\n%s\n", mark, m.number, apply(f.text[start:end], edits))
}

func (m *Mutant) suffix() string { return fmt.Sprintf("_mutant%d__", m.number) }

// edit replaces a piece of a text.
type edit struct {
	start, end int
	text       string
}

func apply(text []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.start - b.start })
	var out []byte
	at := 0
	for _, e := range edits {
		out = append(append(out, text[at:e.start]...), e.text...)
		at = e.end
	}
	return append(out, text[at:]...)
}

// parameters gives names to a function's receiver and parameters that have none.
func (f *File) parameters(p *Package, function *function) (edits []edit) {
	for i, field := range function.fields() {
		if len(field.Names) == 0 {
			at := f.offset(p.fset, field.Pos())
			edits = append(edits, edit{at, at, unnamed(i, 0) + " "})
		}
		for k, name := range field.Names {
			if name.Name == "_" {
				edits = append(edits, edit{f.offset(p.fset, name.Pos()), f.offset(p.fset, name.End()), unnamed(i, k)})
			}
		}
	}
	return edits
}

func unnamed(field, name int) string { return fmt.Sprintf("p%d_%d__", field, name) }

// choice has a function call the copy of the process's mutant.
func (f *File) choice(p *Package, function *function, mine []*Mutant) []edit {
	var text strings.Builder
	text.WriteString(" switch mutant__ {")
	for _, m := range mine {
		call := f.call(p, m)
		if function.kind.Results == nil {
			fmt.Fprintf(&text, "case %d: %s; return;", m.number, call)
		} else {
			fmt.Fprintf(&text, "case %d: return %s;", m.number, call)
		}
	}
	text.WriteString("};")
	at := f.offset(p.fset, function.body.Lbrace) + 1
	return append(f.parameters(p, function), edit{at, at, text.String()})
}

// call calls the mutant's copy of its function.
func (f *File) call(p *Package, m *Mutant) string {
	names := m.function.arguments()
	var callee string
	switch {
	case m.function.name == nil:
		callee = "(" + strings.TrimRight(f.copy(p, m), "\n") + ")"
	case m.function.receiver != nil:
		callee, names = names[0]+"."+m.function.name.Name+m.suffix(), names[1:]
	default:
		callee = m.function.name.Name + m.suffix() + m.function.typeParameters()
	}
	return callee + "(" + strings.Join(names, ", ") + ")"
}
