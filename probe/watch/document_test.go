package watch

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
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

// The numbers of the documents are those of the engine.
func TestNumbersOfTheDocuments(t *testing.T) {
	p := &Path{connection: connection{rtt: time.Second}}
	all := tally{Block: firstBlock, suspectsLost: firstBlock.Suspects}
	for page, sentences := range map[string][]string{
		"watch.md": {
			fmt.Sprintf("# %d paths, each asked for a moment every %s", DefaultPaths, words(touchEvery)),
			fmt.Sprintf("# 16 connections, a pair every %s on each", words(DefaultHeartbeat)),
			fmt.Sprintf("an initial number between %s and %s,", thousands(leastISS), thousands(mostISS)),
			fmt.Sprintf("All carry 1 to %d bytes.", blockLengths),
			fmt.Sprintf("stay open, each for %s,", words(portLife)),
			fmt.Sprintf("asked by %d pairs %s apart (up to %d if", touchPairs, words(touchPause), mostTouchPairs),
			fmt.Sprintf("Each path does so every %s. A target gets a new connection every %s at most, so more than %d paths",
				words(touchEvery), words(openEvery), touchEvery/openEvery),
			fmt.Sprintf("ends %d connections in a row within %s each,", mostShortLived, words(shortLife)),
			fmt.Sprintf("if its answer comes within %s after all, late |", words(keepAsked)),
			fmt.Sprintf("after more than %s and %d round trips,", words(leastOnTime), p.onTime()/p.rtt),
			fmt.Sprintf("took more than %s to send", words(mostLag)),
			fmt.Sprintf("%d suspects of a variant in a row are lost or late; %d if more than 2 %% of the controls are, %d if "+
				"more than 5 %%.", enough(0.02), enough(0.05), enough(0.0501)),
			fmt.Sprintf("%d suspects and %d controls of that variant", firstBlock.Suspects, firstBlock.Beacons),
			strings.Replace(fmt.Sprintf("Fisher's exact test then gives %.1e.", all.lostP()), "e-0", "e-", 1),
			strings.Replace(fmt.Sprintf("a second block of %d and %d has to reach %.0e.", secondBlock.Suspects,
				secondBlock.Beacons, Alpha/2), "e-0", "e-", 1),
			fmt.Sprintf("for %s; each time after that for twice as long, up to %s.", words(firstBackoff), words(mostBackoff)),
			fmt.Sprintf("After %d blocks in a day", mostBlocks),
			fmt.Sprintf("%d suspects in a row are answered, over `--clear-after` (%s)", enoughWell, words(DefaultClear)),
			fmt.Sprintf("within %s, that time doubles, up to %s.", words(flapping), words(mostClear)),
			fmt.Sprintf("after %d pairs and %s two other ports", silentRounds, words(silentTime)),
			fmt.Sprintf("more than %g %% of the last %d pairs are void, once there are %d,", 100*mostVoid,
				len(p.voids.failed), noisyFrom()),
		},
		"security.md": {
			fmt.Sprintf("To confirm a fault it sends %d or %d more,", firstBlock.Suspects+firstBlock.Beacons,
				firstBlock.Suspects+firstBlock.Beacons+secondBlock.Suspects+secondBlock.Beacons),
		},
	} {
		text, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		for _, sentence := range sentences {
			if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), sentence) {
				t.Errorf("docs/%s does not say %q", page, sentence)
			}
		}
	}
	if silentPorts != 2 {
		t.Error("docs/watch.md says that two other ports are asked")
	}
}

// noisyFrom is how many void rounds, and nothing else, make this host too busy.
func noisyFrom() int {
	p := &Path{}
	for !p.noisy() {
		p.voids.add(true)
	}
	return p.voids.n
}

// words writes a time as the documents do: 50 ms, 10 s, 1 minute, 30 minutes.
func words(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%g s", d.Seconds())
	case d == time.Minute:
		return "1 minute"
	}
	return fmt.Sprintf("%g minutes", d.Minutes())
}

// thousands writes a number from 1,000 to 999,999 as documents do.
func thousands(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
