package section

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestReplace(t *testing.T) {
	const code, document = "a\n\t// +tcpprobe:generated:one\n%s\t// +tcpprobe:generated-end\nb\n",
		"<!-- generated: two words -->\n%s<!-- generated end -->\n"
	text := fmt.Sprintf(code+document, "\told\n\tolder\n", "")
	want := fmt.Sprintf(code+document, "\tnew\n\n", "x\n")
	sections := map[string][]string{"one": {"new", ""}, "two words": {"x"}}
	for range 2 { // the second time nothing changes
		got, err := Replace(text, sections)
		if err != nil || got != want {
			t.Fatalf("%v\n%s", err, got)
		}
		text = got
	}
}

func TestReplaceRefuses(t *testing.T) {
	const begin, end = "<!-- generated: s -->\n", "<!-- generated end -->\n"
	for what, text := range map[string]string{
		"none":                   "text\n",
		"two of them":            begin + end + begin + end,
		"one without an end":     begin,
		"one inside of another":  begin + begin + end,
		"an end without a begin": begin + end + end,
		"another":                begin + end + "<!-- generated: t -->\n" + end,
	} {
		if got, err := Replace(text, map[string][]string{"s": nil}); err == nil {
			t.Errorf("%s: accepted\n%s", what, got)
		}
	}
}

func TestWrap(t *testing.T) {
	got := Wrap("one two three - 4. four five", 9, "* ", "  ")
	want := []string{"* one two", "  three - 4.", "  four", "  five"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Wrap("überlänge ä", 11, "", ""); len(got) != 1 {
		t.Errorf("characters, not bytes: %q", got)
	}
	if got := Wrap("a `b c` d", 5, "", ""); !slices.Equal(got, []string{"a", "`b c`", "d"}) {
		t.Errorf("code stays together: %q", got)
	}
	if got := strings.Join(Wrap("", 9, "* ", ""), "|"); got != "* " {
		t.Errorf("of nothing: %q", got)
	}
}
