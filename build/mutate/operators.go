package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// replacements are the operators that replace an operator in mutants.
var replacements = map[token.Token][]token.Token{
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

// negate adds the opposite of a condition. Operators have mutants of their own.
func (s *finder) negate(n ast.Expr) {
	switch n.(type) {
	case nil, *ast.BinaryExpr, *ast.UnaryExpr, *ast.ParenExpr:
	default:
		s.replace(n, "!"+s.source(n))
	}
}

// returned adds, for each result, a mutant with another value of its type.
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

func (s *finder) operator(n ast.Node, at token.Pos, operator token.Token) {
	for _, other := range replacements[operator] {
		from := s.file.offset(s.p.fset, at)
		s.add(n, from, from+len(operator.String()), other.String())
	}
}

func (s *finder) replace(n ast.Node, text string) {
	s.add(n, s.file.offset(s.p.fset, n.Pos()), s.file.offset(s.p.fset, n.End()), text)
}
