package report

import (
	"slices"
	"testing"
)

func TestTelling(t *testing.T) {
	story := []string{
		"+0.1 > S seq 4294967193 (syn)", "+0.2 < SA seq 1 ack 4294967194", "+0.3 > A seq 4294967194 ack 2 (ack)",
		"+0.4 > PA seq 4294967194 ack 2 len 102 (control)", "+0.5 < A seq 2 ack 0",
		"+0.6 > PA seq 0 ack 2 len 102 (suspect)", "+0.7 > A seq 4294967194 ack 2 len 1 (beacon)", "+0.8 < A seq 2 ack 0 sack 4294967194-4294967195",
		"+0.9 > PA seq 0 ack 2 len 102 (suspect)", "… 10 more of these and their answers",
		"+1.0 > PA seq 102 ack 2 len 102 (witness)", "+1.1 < A seq 2 ack 0 sack 102-204", "… 58 more of these and their answers",
		"+1.2 > PA seq 4294967295 ack 2 len 103 (heal)", "+1.3 < A seq 2 ack 204", "+1.4 > RA seq 204 ack 2 (rst)",
	}
	want := []string{story[5], story[6], story[7], story[11], story[13], story[14]}
	if got := telling(story); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if got := telling(story[:3]); !slices.Equal(got, story[:3]) {
		t.Errorf("without a suspect: %q", got)
	}
	if got := telling(nil); got != nil {
		t.Errorf("of nothing: %q", got)
	}
}

func TestTellingAnOvertakenFIN(t *testing.T) {
	lines := []string{
		"+0.000 > S seq 1 (syn)",
		"+0.001 < SA seq 7 ack 2",
		"+0.002 > FA seq 2 ack 8 (fin in order)",
		"+0.003 < A seq 9 ack 3",
		"+0.010 > A seq 3 ack 9 (overtaking ack)",
		"+0.011 > A seq 3 ack 9 (overtaking ack)",
		"+0.030 > FA seq 2 ack 8 (suspect)",
		"+0.031 < A seq 9 ack 2",
		"+0.231 > FA seq 2 ack 9 (heal)",
		"+0.232 < A seq 9 ack 3",
	}
	want := []string{lines[4], lines[6], lines[7], lines[8], lines[9]}
	if got := telling(lines); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
