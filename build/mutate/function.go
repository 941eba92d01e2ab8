package main

import (
	"go/ast"
	"go/types"
	"strings"
)

// function is one that is declared, or a function literal outside of those: in a variable of the package, or in init.
type function struct {
	ast.Node
	receiver *ast.FieldList // nil if there is none
	name     *ast.Ident     // nil for a literal
	kind     *ast.FuncType
	body     *ast.BlockStmt
}

func declared(d *ast.FuncDecl) *function { return &function{d, d.Recv, d.Name, d.Type, d.Body} }

func literal(l *ast.FuncLit) *function { return &function{Node: l, kind: l.Type, body: l.Body} }

// String is the name, after the type of the receiver.
func (f *function) String() string {
	if f.receiver == nil {
		return f.name.Name
	}
	receiver := f.receiver.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	return types.ExprString(receiver) + "." + f.name.Name
}

// fields are the receiver, if there is one, and the parameters.
func (f *function) fields() (all []*ast.Field) {
	if f.receiver != nil {
		all = append(all, f.receiver.List...)
	}
	return append(all, f.kind.Params.List...)
}

// arguments are what a call of the function's copy passes on.
func (f *function) arguments() (names []string) {
	for i, field := range f.fields() {
		if len(field.Names) == 0 {
			names = append(names, unnamed(i, 0))
		}
		for k, name := range field.Names {
			if name.Name == "_" {
				names = append(names, unnamed(i, k))
			} else {
				names = append(names, name.Name)
			}
		}
		if _, variadic := field.Type.(*ast.Ellipsis); variadic {
			names[len(names)-1] += "..."
		}
	}
	return names
}

// typeParameters are the type arguments of such a call, in brackets.
func (f *function) typeParameters() string {
	if f.kind.TypeParams == nil {
		return ""
	}
	var names []string
	for _, field := range f.kind.TypeParams.List {
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
	}
	return "[" + strings.Join(names, ", ") + "]"
}
