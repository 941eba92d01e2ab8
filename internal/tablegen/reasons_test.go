// Package tablegen compares the tables of variants, rules and reasons with what repeats them: schema, prober and
// documents.
package tablegen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/reason"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
)

const product = "github.com/tcpprobe/tcpprobe/"

// source is a Go file that is no test.
type source struct {
	path string // relative to the root
	*ast.File
}

// sources parses the files in the folders.
func sources(t *testing.T, folders ...string) (all []source) {
	t.Helper()
	for _, folder := range folders {
		err := fs.WalkDir(os.DirFS(root), folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), root+path, nil, parser.SkipObjectResolution)
			all = append(all, source{path, f})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// compared are the expressions that are only compared with: operands of == and !=, and what stands behind case.
func (s source) compared() map[ast.Expr]bool {
	all := map[ast.Expr]bool{}
	ast.Inspect(s.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				all[n.X], all[n.Y] = true, true
			}
		case *ast.CaseClause:
			for _, e := range n.List {
				all[e] = true
			}
		}
		return true
	})
	return all
}

// uses are the names of one of our packages that the file uses, and not only to compare something with them.
func (s source) uses(folder string) map[string]bool {
	names := map[string]bool{}
	for _, i := range s.Imports {
		if strings.Trim(i.Path.Value, `"`) != product+folder {
			continue
		}
		local, compared := filepath.Base(folder), s.compared()
		if i.Name != nil {
			local = i.Name.Name
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok && !compared[selector] {
				if x, ok := selector.X.(*ast.Ident); ok && x.Name == local {
					names[selector.Sel.Name] = true
				}
			}
			return true
		})
	}
	return names
}

// TestComparingRaisesNothing: a reason that the code only compares with is not one that it gives.
func TestComparingRaisesNothing(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
import "`+product+`probe/report"
func f(r report.Reason) report.Reason {
	switch r {
	case report.Filtered:
		return report.Refused
	}
	if r == report.PathDown || report.PathLossy != r {
		return r
	}
	return report.Refused
}`, 0)
	if err != nil {
		t.Fatal(err)
	}
	uses := source{"x.go", f}.uses("probe/report")
	for name, want := range map[string]bool{"Refused": true, "Filtered": false, "PathDown": false, "PathLossy": false} {
		if uses[name] != want {
			t.Errorf("%s counts as given: %t", name, uses[name])
		}
	}
}

// raised are the names of a package that other packages use.
func raised(t *testing.T, folder string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, s := range sources(t, "probe", "controllers", "cmd") {
		for name := range s.uses(folder) {
			names[name] = true
		}
	}
	return names
}

// TestReasonsOfTheProberAreRaised: the prober gives every reason of its table.
func TestReasonsOfTheProberAreRaised(t *testing.T) {
	used := raised(t, "probe/report")
	for _, r := range reason.All() {
		if !used[r.Name] {
			t.Errorf("nothing gives the reason %s", r.Name)
		}
	}
}

// TestReasonsOfTheOperatorAreRaisedAndExplained: the operator gives every reason of its constants, and each is
// explained.
func TestReasonsOfTheOperatorAreRaisedAndExplained(t *testing.T) {
	used := raised(t, "api/v1alpha1")
	explained := map[string]bool{}
	for _, e := range v1alpha1.Explanations() {
		explained[e.Reason] = true
		if e.Means == "" {
			t.Errorf("nothing says what %s means", e.Reason)
		}
	}
	declared := map[string]bool{}
	for constant, value := range constants(t, "api/v1alpha1", "Reason") {
		declared[value] = true
		if !used[constant] {
			t.Errorf("nothing gives the reason %s", value)
		}
		if !explained[value] {
			t.Errorf("%s has no explanation", value)
		}
	}
	for r := range explained {
		if !declared[r] {
			t.Errorf("%s is explained and no constant", r)
		}
	}
}

// constants are the constants in a folder whose names begin with prefix, with their values.
func constants(t *testing.T, folder, prefix string) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, s := range sources(t, folder) {
		ast.Inspect(s.File, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if i < len(spec.Values) && strings.HasPrefix(name.Name, prefix) {
					if literal, ok := spec.Values[i].(*ast.BasicLit); ok {
						values[name.Name] = strings.Trim(literal.Value, `"`)
					}
				}
			}
			return true
		})
	}
	return values
}

// stated matches a verdict, or the status of a condition, with its reason in documents.
var stated = regexp.MustCompile(`\b(True|False|Unknown|Pass|Fail|Inconclusive) / ([A-Z]\w+(?:, [A-Z]\w+)*)`)

// TestDocumentedReasonsAreThoseThatExist: documents have all reasons, and no others.
func TestDocumentedReasonsAreThoseThatExist(t *testing.T) {
	known := map[string]bool{}
	for _, r := range reason.All() {
		known[r.Name] = true
	}
	for _, e := range v1alpha1.Explanations() {
		known[e.Reason] = true
	}
	pages, err := filepath.Glob(root + "docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(err, len(pages))
	}
	for _, page := range append(pages, root+"README.md") {
		text := read(t, strings.TrimPrefix(page, root))
		for _, m := range stated.FindAllStringSubmatch(text, -1) {
			for name := range strings.SplitSeq(m[2], ", ") {
				if !known[name] {
					t.Errorf("%s: %s, and nothing gives the reason %s", page, m[0], name)
				}
			}
		}
	}
	documents := read(t, "docs/scenarios.md") + read(t, "docs/resource.md")
	for name := range known {
		if !regexp.MustCompile(`(?m)^\* \*\*(\w[\w ]* / )?` + name + `\*\*: `).MatchString(documents) {
			t.Errorf("%s is not documented; run go generate ./...", name)
		}
	}
}

// TestReasonsBelongToScenarios: reasons name scenarios that exist.
func TestReasonsBelongToScenarios(t *testing.T) {
	for _, r := range reason.All() {
		for _, m := range r.Meanings {
			if _, known := scenario.Registry[m.Scenario]; !known && m.Scenario != "" {
				t.Errorf("%s has a meaning in %s, which is no scenario", r.Name, m.Scenario)
			}
		}
	}
	for name := range scenario.Registry {
		if !slices.ContainsFunc(reason.All(), func(r reason.Reason) bool {
			_, ok := r.In(name)
			return ok && r.Verdict == reason.Pass
		}) {
			t.Errorf("%s has no reason to pass", name)
		}
	}
}
