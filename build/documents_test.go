package build

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fenced   = regexp.MustCompile("(?s)```.*?```")
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	dropped  = regexp.MustCompile(`[^\p{L}\p{N} _-]`) // what GitHub leaves out of an anchor
	external = regexp.MustCompile(`^[a-z]+:`)
)

// TestLinks checks every link of a document: the file exists in the repository and has the heading. Links to other
// sites are not followed.
func TestLinks(t *testing.T) {
	list := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
	list.Dir = ".."
	names, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(names)) {
		if file := filepath.Join("..", name); exists(file) {
			for _, to := range link.FindAllStringSubmatch(prose(t, file), -1) {
				if problem := follow(t, file, to[1]); problem != "" {
					t.Errorf("%s links to %s: %s", name, to[1], problem)
				}
			}
		}
	}
}

func TestFollowFindsBrokenLinks(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	write(t, page, "# One page: `code` & more\n\n```\n# not a heading\n```\n")
	for to, broken := range map[string]bool{
		"page.md":                     false,
		"#one-page-code--more":        false,
		"page.md#one-page-code--more": false,
		"https://example.org/":        false,
		"absent.md":                   true,
		"#not-a-heading":              true,
		"page.md#absent":              true,
	} {
		if problem := follow(t, page, to); (problem != "") != broken {
			t.Errorf("%s: %q", to, problem)
		}
	}
}

// follow is why a link of a document is broken, or "".
func follow(t *testing.T, from, to string) string {
	t.Helper()
	if external.MatchString(to) {
		return ""
	}
	u, err := url.Parse(to)
	if err != nil {
		return err.Error()
	}
	file := from
	if u.Path != "" {
		file = filepath.Join(filepath.Dir(from), u.Path)
	}
	if !exists(file) {
		return "no such file"
	}
	if u.Fragment != "" && !anchors(t, file)[u.Fragment] {
		return "no such heading"
	}
	return ""
}

// anchors are the headings of a document, as GitHub writes them in links.
func anchors(t *testing.T, file string) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	for _, h := range heading.FindAllStringSubmatch(prose(t, file), -1) {
		found[strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	return found
}

// prose is a document without its blocks of code.
func prose(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return fenced.ReplaceAllString(string(text), "")
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
