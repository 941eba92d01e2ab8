package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// Mutant is the package with one change.
type Mutant struct {
	number   int
	file     *File
	function *ast.FuncDecl // nil if the change is in a declaration of the package
	start    int           // of the text that is replaced
	end      int
	text     string // instead

	Place  string `json:"place"` // file:line
	Name   string `json:"name"`  // file, function and change: what the list of equivalent mutants has
	Reason string `json:"reason,omitempty"`

	fate fate
}

// fate is what became of a mutant.
type fate int

const (
	survived fate = iota
	killed
	timedOut
	invalid // it does not compile
)

// others are the operators that a mutant has in place of one.
var others = map[token.Token][]token.Token{
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
	token.LSS: {token.LEQ, token.GEQ}, token.GEQ: {token.GTR, token.LSS},
	token.GTR: {token.GEQ, token.LEQ}, token.LEQ: {token.LSS, token.GTR},
	token.LAND: {token.LOR}, token.LOR: {token.LAND},
	token.ADD: {token.SUB}, token.SUB: {token.ADD}, token.MUL: {token.QUO}, token.QUO: {token.MUL}, token.REM: {token.MUL},
	token.AND: {token.OR}, token.OR: {token.AND}, token.XOR: {token.AND}, token.AND_NOT: {token.AND},
	token.SHL: {token.SHR}, token.SHR: {token.SHL},
	token.ADD_ASSIGN: {token.SUB_ASSIGN}, token.SUB_ASSIGN: {token.ADD_ASSIGN},
	token.MUL_ASSIGN: {token.QUO_ASSIGN}, token.QUO_ASSIGN: {token.MUL_ASSIGN},
	token.OR_ASSIGN: {token.AND_ASSIGN}, token.AND_ASSIGN: {token.OR_ASSIGN},
	token.INC: {token.DEC}, token.DEC: {token.INC},
	token.BREAK: {token.CONTINUE}, token.CONTINUE: {token.BREAK},
}

// finder collects the mutants of a file.
type finder struct {
	p       *Package
	file    *File
	info    *types.Info
	inside  *ast.FuncDecl
	results []*types.Tuple // of the functions around, the innermost last
	seen    map[string]int
	all     []*Mutant
}

func (p *Package) mutants(constants bool) []*Mutant {
	var trees []*ast.File
	for _, f := range p.files {
		trees = append(trees, f.tree)
	}
	info := p.check(trees, func(types.Error) {})
	var all []*Mutant
	for _, f := range p.files {
		if !f.mutated {
			continue
		}
		s := &finder{p: p, file: f, info: info, seen: map[string]int{}}
		for _, declaration := range f.tree.Decls {
			s.declaration(declaration)
		}
		all = append(all, s.all...)
	}
	if constants {
		all = slices.DeleteFunc(all, func(m *Mutant) bool { return m.function != nil })
	}
	for i, m := range all {
		m.number = i + 1
	}
	return all
}

func (s *finder) declaration(d ast.Decl) {
	s.inside, s.results = nil, nil
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Body == nil {
			return
		}
		if d.Recv != nil || d.Name.Name != "init" { // which cannot be called
			s.inside = d
		}
		s.function(s.info.Defs[d.Name].Type(), d.Body)
	case *ast.GenDecl:
		if d.Tok == token.CONST || d.Tok == token.VAR {
			ast.Inspect(d, s.visit)
			s.bare(d)
		}
	}
}

// bare doubles constants in whose values no number stands: time.Minute.
func (s *finder) bare(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		for _, value := range spec.(*ast.ValueSpec).Values {
			basic, ok := s.typeOf(value).Underlying().(*types.Basic)
			plain := ok && basic.Info()&types.IsNumeric != 0 && basic.Info()&types.IsUntyped == 0
			ast.Inspect(value, func(n ast.Node) bool {
				_, literal := n.(*ast.BasicLit)
				_, call := n.(*ast.CallExpr)
				name, _ := n.(*ast.Ident)
				plain = plain && !literal && !call && (name == nil || name.Name != "iota")
				return true
			})
			if plain {
				s.replace(value, "2 * "+s.source(value))
			}
		}
	}
}

func (s *finder) function(t types.Type, body *ast.BlockStmt) {
	signature, ok := t.(*types.Signature)
	if !ok {
		return // the package does not compile
	}
	s.results = append(s.results, signature.Results())
	ast.Inspect(body, s.visit)
	s.results = s.results[:len(s.results)-1]
}

// visit adds the mutants of one node.
func (s *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncLit:
		s.function(s.typeOf(n), n.Body)
		return false
	case *ast.BinaryExpr:
		s.operator(n, n.OpPos, n.Op)
		if n.Op == token.LAND || n.Op == token.LOR {
			s.negate(n.X)
			s.negate(n.Y)
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT || n.Op == token.SUB {
			s.replace(n, s.source(n.X))
		}
	case *ast.BasicLit:
		s.number(n)
	case *ast.CallExpr:
		return s.call(n)
	case *ast.IfStmt:
		s.negate(n.Cond)
	case *ast.ForStmt:
		s.negate(n.Cond)
	case *ast.SwitchStmt:
		s.cases(n)
	case *ast.ReturnStmt:
		s.returned(n)
	case *ast.CommClause: // what it waits for stays
		for _, statement := range n.Body {
			ast.Inspect(statement, s.visit)
		}
		return false
	case *ast.Field:
		return false // a length in a type is no behaviour
	case ast.Stmt:
		s.statement(n)
	}
	return true
}

func (s *finder) statement(n ast.Stmt) {
	switch n := n.(type) {
	case *ast.ExprStmt:
		if call, ok := n.X.(*ast.CallExpr); !ok || !s.builtin(call, "panic") {
			s.replace(n, "")
		}
	case *ast.DeferStmt:
		s.replace(n, "")
	case *ast.IncDecStmt:
		s.operator(n, n.TokPos, n.Tok)
		s.replace(n, "")
	case *ast.AssignStmt:
		s.operator(n, n.TokPos, n.Tok)
		if n.Tok != token.DEFINE {
			s.replace(n, strings.Repeat("_, ", len(n.Lhs)-1)+"_ = "+s.sourceBetween(n.Rhs[0].Pos(), n.End()))
		}
	case *ast.BranchStmt:
		if n.Label == nil {
			s.operator(n, n.TokPos, n.Tok)
		}
	}
}

// call skips what is said before a crash, and sizes that only spare allocations.
func (s *finder) call(n *ast.CallExpr) bool {
	switch {
	case s.builtin(n, "panic"):
		return false
	case s.builtin(n, "make"):
		at := 2
		if _, ok := s.typeOf(n).Underlying().(*types.Map); ok {
			at = 1
		}
		for _, argument := range n.Args[:min(at, len(n.Args))] {
			ast.Inspect(argument, s.visit)
		}
		return false
	case s.builtin(n, "min"):
		s.replace(n.Fun, "max")
	case s.builtin(n, "max"):
		s.replace(n.Fun, "min")
	}
	return true
}

func (s *finder) builtin(call *ast.CallExpr, name string) bool {
	callee, ok := call.Fun.(*ast.Ident)
	if !ok || callee.Name != name {
		return false
	}
	_, ok = s.info.Uses[callee].(*types.Builtin)
	return ok
}

func (s *finder) cases(n *ast.SwitchStmt) {
	if n.Tag != nil {
		return
	}
	for _, clause := range n.Body.List {
		for _, condition := range clause.(*ast.CaseClause).List {
			s.negate(condition)
		}
	}
}

func (s *finder) number(n *ast.BasicLit) {
	switch n.Kind {
	case token.INT:
		s.replace(n, "("+n.Value+" + 1)")
		s.replace(n, "("+n.Value+" - 1)")
	case token.FLOAT:
		if zero, err := strconv.ParseFloat(n.Value, 64); err == nil && zero == 0 {
			s.replace(n, "1.0")
			return
		}
		s.replace(n, "("+n.Value+" * 2)")
		s.replace(n, "("+n.Value+" / 2)")
	}
}

// negate adds the opposite of a condition. Operators have theirs already.
func (s *finder) negate(n ast.Expr) {
	switch n.(type) {
	case nil, *ast.BinaryExpr, *ast.UnaryExpr, *ast.ParenExpr:
	default:
		s.replace(n, "!"+s.source(n))
	}
}

// returned adds, for each result, another value of its type.
func (s *finder) returned(n *ast.ReturnStmt) {
	results := s.results[len(s.results)-1]
	if results.Len() != len(n.Results) {
		return // all are named, or come from one call
	}
	for i, value := range n.Results {
		if other := s.other(value, results.At(i).Type()); other != "" {
			s.replace(value, other)
		}
	}
}

func (s *finder) other(value ast.Expr, t types.Type) string {
	source := s.source(value)
	switch under := t.Underlying().(type) {
	case *types.Basic:
		return s.otherBasic(value, under)
	case *types.Struct, *types.Array:
		if strings.HasSuffix(source, "{}") {
			return ""
		}
		return "*new(" + types.TypeString(t, s.qualified) + ")"
	default:
		if source == "nil" {
			return ""
		}
		return "nil"
	}
}

func (s *finder) otherBasic(value ast.Expr, t *types.Basic) string {
	source := s.source(value)
	switch value.(type) {
	case *ast.BinaryExpr, *ast.UnaryExpr, *ast.BasicLit:
		if t.Info()&types.IsString == 0 {
			return "" // they have mutants of their own
		}
	}
	switch {
	case t.Info()&types.IsBoolean != 0:
		return "!" + source
	case t.Info()&types.IsNumeric != 0 && s.typeOf(value).String() == "time.Duration":
		return source + " + 1e9"
	case t.Info()&types.IsNumeric != 0:
		return source + " + 1"
	case source == `""`:
		return `"mutant"`
	default:
		return `""`
	}
}

func (s *finder) qualified(other *types.Package) string {
	if other.Path() == s.p.name {
		return ""
	}
	return other.Name()
}

func (s *finder) typeOf(n ast.Expr) types.Type {
	if t := s.info.TypeOf(n); t != nil {
		return t
	}
	return types.Typ[types.Invalid]
}

func (s *finder) operator(n ast.Node, at token.Pos, operator token.Token) {
	for _, other := range others[operator] {
		from := s.file.offset(s.p.fset, at)
		s.add(n, from, from+len(operator.String()), other.String())
	}
}

func (s *finder) replace(n ast.Node, text string) {
	s.add(n, s.file.offset(s.p.fset, n.Pos()), s.file.offset(s.p.fset, n.End()), text)
}

func (s *finder) add(n ast.Node, start, end int, text string) {
	from, to := s.file.offset(s.p.fset, n.Pos()), s.file.offset(s.p.fset, n.End())
	before := string(s.file.text[from:to])
	after := string(s.file.text[from:start]) + text + string(s.file.text[end:to])
	where := s.file.name
	if s.inside != nil {
		where += " " + nameOf(s.inside)
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

// nameOf is a function's name, behind its receiver's type.
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	return types.ExprString(receiver) + "." + f.Name.Name
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
