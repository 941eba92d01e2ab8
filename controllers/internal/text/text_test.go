package text

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCutKeepsRunesWhole(t *testing.T) {
	if got := Cut("äöü", 6); got != "äöü" {
		t.Error(got)
	}
	if got := Cut("äöüß", 7); got != "äö…" {
		t.Error(got)
	}
}

// TestCutWithoutRoom: a limit below the three bytes of the mark leaves nothing.
func TestCutWithoutRoom(t *testing.T) {
	for limit, want := range map[int]string{-1: "", 0: "", 2: "", 3: "…", 4: "a…"} {
		if got := Cut("abcdef", limit); got != want {
			t.Errorf("%d bytes: %q; want %q", limit, got, want)
		}
	}
	if got := Cut("", 0); got != "" {
		t.Errorf("%q", got)
	}
	if got := Cut("\x80\x80\x80\x80\x80", 4); got != "…" {
		t.Errorf("of bytes that are no text: %q", got)
	}
}

func TestListedCountsTheRest(t *testing.T) {
	if got := Listed([]string{"a", "b", "c", "d"}); got != "a; b; c; d" {
		t.Error(got)
	}
	if got := Listed([]string{"a", "b", "c", "d", "e", "f"}); got != "a; b; c; d; and 2 more" {
		t.Error(got)
	}
}

func TestSentenceIsOneLine(t *testing.T) {
	if got := Sentence("ErrImagePull", "", "failed to pull\n\timage"); got != "ErrImagePull: failed to pull image" {
		t.Errorf("%q", got)
	}
}

func TestCutJSON(t *testing.T) {
	for _, s := range []string{"short", strings.Repeat("x", 500), strings.Repeat("<", 500), strings.Repeat("\x01", 500),
		strings.Repeat("ä", 500)} {
		if got := CutJSON(s, 60); SizeInJSON(got) > 60 || got == "" {
			t.Errorf("%q has %d bytes within JSON", got, SizeInJSON(got))
		}
		for limit := range 6 {
			if got := CutJSON(s, limit); SizeInJSON(got) > limit {
				t.Errorf("%q has %d bytes within JSON, and may have %d", got, SizeInJSON(got), limit)
			}
		}
	}
}

// FuzzCut: whatever a tenant writes, and whatever room is left, a cut ends and never panics. The result fits, is the
// beginning of what was cut, and is UTF-8 if that was. The seeds hold what once panicked: bytes that begin no rune.
func FuzzCut(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := Cut(s, limit)
		if len(s) <= limit && got != s {
			t.Errorf("%q fits %d bytes, and was cut to %q", s, limit, got)
		}
		if len(got) > max(limit, 0) || !strings.HasPrefix(s, strings.TrimSuffix(got, "…")) && got != s {
			t.Errorf("Cut(%q, %d) is %q", s, limit, got)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("Cut(%q, %d) split a rune: %q", s, limit, got)
		}
		if in := CutJSON(s, limit); SizeInJSON(in) > max(limit, 0) {
			t.Errorf("CutJSON(%q, %d) takes %d bytes", s, limit, SizeInJSON(in))
		}
	})
}
