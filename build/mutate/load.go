package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Package is a package whose tests are judged.
type Package struct {
	name   string // its folder, relative to top
	top    string
	files  []*File
	fset   *token.FileSet
	types  types.Importer
	folder string
}

// File is a source file of a package.
type File struct {
	path    string // absolute
	name    string // relative to top
	text    []byte
	tree    *ast.File
	mutated bool // else it is only compiled
}

// load reads the packages. An argument is a package's folder or one of its files. If files are named, only these are
// mutated.
func load(ctx context.Context, top string, arguments []string) ([]*Package, error) {
	top, err := filepath.Abs(top)
	if err != nil {
		return nil, err
	}
	var folders []string
	chosen := map[string][]string{}
	for _, argument := range arguments {
		folder, file := filepath.Clean(argument), ""
		if strings.HasSuffix(argument, ".go") {
			folder, file = filepath.Split(folder)
			folder = filepath.Clean(folder)
		}
		if !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
		chosen[folder] = append(chosen[folder], file)
	}
	var all []*Package
	for _, folder := range folders {
		p, err := loadPackage(ctx, top, folder)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
		for _, name := range chosen[folder] {
			if err := p.choose(name); err != nil {
				return nil, err
			}
		}
		all = append(all, p)
	}
	return all, nil
}

// choose has a file mutated. Without a name all files are, but the generated ones.
func (p *Package) choose(name string) error {
	found := false
	for _, f := range p.files {
		if name == "" && !ast.IsGenerated(f.tree) || filepath.Base(f.path) == name {
			f.mutated, found = true, true
		}
	}
	if !found {
		return fmt.Errorf("%s: no file %s", p.name, name)
	}
	return nil
}

func loadPackage(ctx context.Context, top, folder string) (*Package, error) {
	list := exec.CommandContext(ctx, "go", "list", "-export", "-deps", "-json=Dir,ImportPath,Export,GoFiles",
		"os", "strconv", "./"+filepath.ToSlash(folder)) // the selector imports the first two
	list.Dir = top
	list.Stderr = os.Stderr
	output, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	exports := map[string]string{}
	var last struct {
		Dir, ImportPath, Export string
		GoFiles                 []string
	}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; { // the package itself comes last
		next := last
		next.GoFiles = nil
		if err := decoder.Decode(&next); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		last = next
		exports[last.ImportPath] = last.Export
	}
	p := &Package{name: filepath.ToSlash(folder), top: top, fset: token.NewFileSet(), folder: last.Dir}
	p.types = importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	for _, name := range last.GoFiles {
		if err := p.read(filepath.Join(last.Dir, name)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Package) read(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	tree, err := parser.ParseFile(p.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(p.top, path)
	if err != nil {
		return err
	}
	p.files = append(p.files, &File{path: path, name: filepath.ToSlash(name), text: text, tree: tree})
	return nil
}

// typeCheck checks the types of the package with these trees of its files. It calls report for each error.
func (p *Package) typeCheck(trees []*ast.File, report func(types.Error)) *types.Info {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
		Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: p.types, Error: func(err error) {
		if typed, ok := errors.AsType[types.Error](err); ok {
			report(typed)
		}
	}}
	_, _ = config.Check(p.name, p.fset, trees, info) // report got the errors
	return info
}

func (f *File) offset(fset *token.FileSet, at token.Pos) int { return fset.Position(at).Offset }
