package main

import (
	"strings"
	"testing"
	"time"
)

func TestProgressIsOncePerSecond(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	tell := progressTo(&out, func() time.Time { return now })
	for done := range 8 { // one result every 400 ms
		tell(done, 8)
		now = now.Add(400 * time.Millisecond)
	}
	const want = "prober: 3 of 8 checks done after 1 s\nprober: 6 of 8 checks done after 2 s\n"
	if out.String() != want {
		t.Errorf("progress\n%swant\n%s", out.String(), want)
	}
}
