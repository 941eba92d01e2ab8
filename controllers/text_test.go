package controllers

import (
	"strings"
	"testing"
)

func TestCutKeepsRunesWhole(t *testing.T) {
	if got := cut("äöü", 6); got != "äöü" {
		t.Error(got)
	}
	if got := cut("äöüß", 7); got != "äö…" {
		t.Error(got)
	}
}

func TestListedCountsTheRest(t *testing.T) {
	if got := listed([]string{"a", "b", "c", "d"}); got != "a; b; c; d" {
		t.Error(got)
	}
	if got := listed([]string{"a", "b", "c", "d", "e", "f"}); got != "a; b; c; d; and 2 more" {
		t.Error(got)
	}
}

func TestSentenceIsOneLine(t *testing.T) {
	if got := sentence("ErrImagePull", "", "failed to pull\n\timage"); got != "ErrImagePull: failed to pull image" {
		t.Errorf("%q", got)
	}
}

func TestFittingCountsWhatIsWritten(t *testing.T) {
	for _, s := range []string{"short", strings.Repeat("x", 500), strings.Repeat("<", 500), strings.Repeat("\x01", 500), strings.Repeat("ä", 500)} {
		if got := fitting(s, 60); written(got) > 60 || got == "" {
			t.Errorf("%q has %d bytes within JSON", got, written(got))
		}
	}
}
