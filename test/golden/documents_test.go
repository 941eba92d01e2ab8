package golden

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const testdata = "testdata"

// documents are the documents that were compared so far. differs has their names.
type documents struct {
	mu      sync.Mutex
	differs map[string]bool
}

var recorded = documents{differs: make(map[string]bool)}

func (d *documents) add(name string, differs bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.differs[name] = d.differs[name] || differs
}

func (d *documents) has(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, there := d.differs[name]
	return there
}

// String is the last line of the output.
func (d *documents) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(d.differs)) {
		if d.differs[name] {
			names = append(names, name)
		}
	}
	line := fmt.Sprintf("golden: %d documents, %d differ", len(d.differs), len(names))
	if len(names) > 0 {
		line += ": " + strings.Join(names, " ")
	}
	return line
}

// compare compares a document with its file under testdata.
func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(testdata, name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		recorded.add(name, true)
		t.Error(err)
		return
	}
	recorded.add(name, got != string(want))
	if got != string(want) {
		t.Errorf("%s differs (-: the file, +: now):\n%s", path, difference(string(want), got))
	}
}

// expected is a document's file under testdata, or "" if there is none.
func expected(name string) string {
	text, _ := os.ReadFile(filepath.Join(testdata, name))
	return string(text)
}

// requireNoStaleFiles fails the test if testdata/folder has a file that no test has compared. Where -run chose among
// the documents, the others are not stale.
func requireNoStaleFiles(t *testing.T, folder string) {
	t.Helper()
	if strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
		return
	}
	err := filepath.WalkDir(filepath.Join(testdata, folder), func(path string, entry fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, testdata+"/")
		if err != nil || entry.IsDir() || recorded.has(name) {
			return err
		}
		if *update {
			return os.Remove(path)
		}
		recorded.add(name, true)
		t.Errorf("%s: no test compares it", path)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// difference shows the lines that differ, at most 100 of them.
func difference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	common := commonLines(a, b)
	var out []string
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, fmt.Sprintf("%4d - %s", i+1, a[i]))
			i++
		default:
			out = append(out, fmt.Sprintf("%4d + %s", j+1, b[j]))
			j++
		}
	}
	if more := len(out) - 100; more > 0 {
		out = append(out[:100], fmt.Sprintf("… %d more", more))
	}
	return strings.Join(out, "\n")
}

// commonLines has, for each pair of tails, the length of their longest common subsequence of lines.
func commonLines(a, b []string) [][]int {
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := range slices.Backward(a) {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	return common
}
