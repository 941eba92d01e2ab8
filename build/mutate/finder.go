package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// finder collects the mutants of a file.
type finder struct {
	p       *Package
	file    *File
	info    *types.Info
	inside  *function
	results []*types.Tuple // of the enclosing functions, the innermost last
	seen    map[string]int
	all     []*Mutant
}

func (p *Package) mutants(constants bool) []*Mutant {
	var trees []*ast.File
	for _, f := range p.files {
		trees = append(trees, f.tree)
	}
	info := p.typeCheck(trees, func(types.Error) {})
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
		if d.Recv != nil || d.Name.Name != "init" { // a copy of init could not be called
			s.inside = declared(d)
		}
		s.function(s.info.Defs[d.Name].Type(), d.Body)
	case *ast.GenDecl:
		if d.Tok == token.CONST || d.Tok == token.VAR {
			ast.Inspect(d, s.visit)
			s.doubleNamedConstant(d)
		}
	}
}

// doubleNamedConstant doubles constants whose values have no literal, such as time.Minute.
func (s *finder) doubleNamedConstant(d *ast.GenDecl) {
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

// literal takes a function literal for a function of its own unless it is within one.
func (s *finder) literal(n *ast.FuncLit) {
	outside := s.inside == nil
	if outside {
		s.inside = literal(n)
	}
	s.function(s.typeOf(n), n.Body)
	if outside {
		s.inside = nil
	}
}

// visit adds the mutants of one node.
func (s *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncLit:
		s.literal(n)
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
	case *ast.CommClause: // the communication itself is not mutated
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

// call skips arguments of panic, and sizes in make that only save allocations.
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

func (s *finder) typeOf(n ast.Expr) types.Type {
	if t := s.info.TypeOf(n); t != nil {
		return t
	}
	return types.Typ[types.Invalid]
}
