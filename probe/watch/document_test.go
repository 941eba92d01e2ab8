package watch

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// docs/watch.md explains every event, and no other.
func TestEveryEventIsExplained(t *testing.T) {
	code, err := os.ReadFile("event.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/watch.md")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`Kind = "([A-Za-z]+)"`).FindAllStringSubmatch(string(code), -1)
	for _, k := range kinds {
		if !strings.Contains(string(page), "\n| "+k[1]+" | ") {
			t.Errorf("docs/watch.md does not explain %s", k[1])
		}
	}
	_, events, _ := strings.Cut(string(page), "## Events")
	events, _, _ = strings.Cut(events, "## ")
	if rows := strings.Count(events, "\n| ") - 1; len(kinds) == 0 || rows != len(kinds) {
		t.Errorf("docs/watch.md explains %d events of %d", rows, len(kinds))
	}
}

// The numbers of docs/watch.md are those of the engine.
func TestNumbersOfTheDocument(t *testing.T) {
	if leastISS != 1024 || mostISS != 16000 || touchPairs != 3 || touchPause.Milliseconds() != 50 ||
		touchEvery.Seconds() != 10 || portLife.Minutes() != 10 || leastOnTime.Milliseconds() != 60 ||
		keepAsked.Seconds() != 8 || mostLag.Milliseconds() != 20 || silentRounds != 3 || silentTime.Seconds() != 2 ||
		mostBlocks != 24 || enoughWell != 30 || mostClear.Minutes() != 30 || flapping.Minutes() != 10 ||
		mostVoid != 0.2 || openEvery.Seconds() != 1 || mostShortLived != 3 || soon.Seconds() != 10 ||
		blockLengths != 16 || firstBackoff.Minutes() != 1 || mostBackoff.Hours() != 1 {
		t.Error("docs/watch.md says otherwise")
	}
	if enough(0.02) != 3 || enough(0.05) != 4 || enough(0.06) != 5 {
		t.Error("docs/watch.md says otherwise of suspicion")
	}
	if firstBlock.Suspects != 8 || firstBlock.Beacons != 24 || secondBlock.Suspects != 16 || secondBlock.Beacons != 48 {
		t.Error("docs/watch.md says otherwise of blocks")
	}
}
