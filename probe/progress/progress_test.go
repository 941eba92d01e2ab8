package progress_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/progress"
)

func TestLinesComeAfterASecondAndThenEveryFive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		c := progress.NewCounter(8, "checks done")
		stop := progress.Print(&out, c.String)
		c.Add(3)
		time.Sleep(1500 * time.Millisecond)
		c.Add(4)
		time.Sleep(5 * time.Second)
		stop()
		const want = "3 of 8 checks done after 1 s\n7 of 8 checks done after 6 s\n"
		if out.String() != want {
			t.Errorf("progress\n%swant\n%s", out.String(), want)
		}
	})
}

func TestShortWorkPrintsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		stop := progress.Print(&out, func() string { return "working" })
		time.Sleep(900 * time.Millisecond)
		stop()
		time.Sleep(time.Minute)
		if out.Len() > 0 {
			t.Errorf("printed %q", out.String())
		}
	})
}
