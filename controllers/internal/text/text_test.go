package text

import (
	"strings"
	"testing"
)

func TestCutKeepsRunesWhole(t *testing.T) {
	if got := Cut("äöü", 6); got != "äöü" {
		t.Error(got)
	}
	if got := Cut("äöüß", 7); got != "äö…" {
		t.Error(got)
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
	}
}
