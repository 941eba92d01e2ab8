//go:build net

package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/watch"
)

// watching is a running `tcpprobe watch`.
type watching struct {
	t      *testing.T
	cmd    *exec.Cmd
	events chan watch.Event
	seen   []watch.Event
}

// watchFrom starts `tcpprobe watch` on a lab's client.
func watchFrom(t *testing.T, s *lab.Lab, args ...string) *watching {
	t.Helper()
	w := &watching{t: t, events: make(chan watch.Event, 1024)}
	w.cmd = exec.Command("/proc/self/exe", append([]string{"watch", "-o", "json"}, args...)...)
	w.cmd.Stderr = os.Stderr
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Client().Do(w.cmd.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	go func() {
		defer close(w.events)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e watch.Event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Errorf("%v: %s", err, lines.Text())
			}
			w.events <- e
		}
	}()
	return w
}

// await waits for so many events of a kind.
func (w *watching) await(n int, k watch.Kind) (found []watch.Event) {
	w.t.Helper()
	over := time.After(90 * time.Second)
	for len(found) < n {
		select {
		case e, more := <-w.events:
			if !more {
				w.t.Fatalf("it ended before it told of %s\n%s", k, w)
			}
			w.seen = append(w.seen, e)
			if e.Kind == k {
				found = append(found, e)
			}
		case <-over:
			w.t.Fatalf("it did not tell of %s\n%s", k, w)
		}
	}
	return found
}

// end waits for the end, and returns the exit status.
func (w *watching) end() int {
	w.t.Helper()
	for e := range w.events {
		w.seen = append(w.seen, e)
	}
	_ = w.cmd.Wait()
	return w.cmd.ProcessState.ExitCode()
}

// stop ends it as a person does, or whoever else.
func (w *watching) stop(s syscall.Signal) int {
	w.t.Helper()
	if err := w.cmd.Process.Signal(s); err != nil {
		w.t.Fatal(err)
	}
	return w.end()
}

func (w *watching) count(kinds ...watch.Kind) (n int) {
	for _, e := range w.seen {
		if slices.Contains(kinds, e.Kind) {
			n++
		}
	}
	return n
}

func (w *watching) String() string {
	var text strings.Builder
	for _, e := range w.seen {
		text.WriteString(textOf(e) + "\n")
	}
	return text.String()
}

// quick are settings under which tests take seconds.
var quick = []string{"--heartbeat", "200ms", "--clear-after", "1s"}

// Of a healthy path nothing is told but that it begins and ends, and nothing is left at the server.
func TestWatchOfAHealthyPath(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{Conntrack: true})
	for _, f := range lab.Families {
		for _, mode := range labtest.GuardModes() {
			for _, how := range []string{"--hold", "--hold=false"} {
				w := watchFrom(t, s, append([]string{s.Target(f, lab.Echo).String(), how, "--guard", mode, "--paths", "2",
					"--for", "5s"}, quick...)...)
				if status := w.end(); status != cli.ExitPass || w.count(watch.Begins) != 2 || len(w.seen) != 5 {
					t.Errorf("%s, %s, %s: status %d\n%s", f, mode, how, status, w)
				}
				labtest.ExpectNothingLeft(t, s)
			}
		}
	}
}

// A fault that begins during the watch is found, its rule is named, and its end is seen.
func TestWatchFindsAFault(t *testing.T) {
	t.Parallel()
	for _, f := range lab.Families {
		for _, mode := range labtest.GuardModes() {
			t.Run(string(f)+"/"+mode, func(t *testing.T) {
				t.Parallel()
				s := labtest.New(t, lab.Options{})
				w := watchFrom(t, s, append([]string{s.Target(f, lab.Echo).String(), "--hold", "--guard", mode, "--paths",
					"2"}, quick...)...)
				findFault(t, s, w)
				labtest.ExpectNothingLeft(t, s)
			})
		}
	}
}

// findFault lets the switch lose data with PSH at 0, until both paths tell of it and of its rule.
func findFault(t *testing.T, s *lab.Lab, w *watching) {
	t.Helper()
	w.await(2, watch.Begins)
	repair := labtest.Inject(t, s, "push-at-zero")
	for _, e := range w.await(2, watch.Fails) {
		if e.Reason != report.SequenceZeroDropped || e.P > watch.Alpha || len(e.Evidence) == 0 {
			t.Errorf("%+v", e)
		}
	}
	for w.count(watch.Rule) < 2 {
		w.await(1, watch.Rule)
	}
	repair()
	w.await(2, watch.Cleared)
	if status := w.stop(syscall.SIGINT); status != cli.ExitFail {
		t.Errorf("status %d\n%s", status, w)
	}
	for _, e := range w.seen {
		if e.Kind == watch.Rule && !slices.Equal(e.Rules, []string{"PushAtZero"}) {
			t.Errorf("%+v", e)
		}
	}
}

// What is only late at 0 is told as late.
func TestWatchTellsLateFromLost(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	w := watchFrom(t, s, append([]string{s.Target(lab.IPv4, lab.Echo).String(), "--hold", "--paths", "1"}, quick...)...)
	w.await(1, watch.Begins)
	defer labtest.Inject(t, s, "delay-at-zero=300ms@in")()
	if e := w.await(1, watch.Fails)[0]; e.Reason != report.SequenceZeroDelayed {
		t.Errorf("%+v", e)
	}
	if status := w.stop(syscall.SIGTERM); status != cli.ExitFail {
		t.Errorf("status %d\n%s", status, w)
	}
	labtest.ExpectNothingLeft(t, s)
}

// A touched path finds it as well.
func TestWatchFindsAFaultByTouches(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	w := watchFrom(t, s, s.Target(lab.IPv4, lab.Echo).String(), "--paths", "1")
	w.await(1, watch.Begins)
	defer labtest.Inject(t, s, "push-at-zero")()
	w.await(1, watch.Fails)
	if status := w.stop(syscall.SIGTERM); status != cli.ExitFail {
		t.Errorf("status %d\n%s", status, w)
	}
	labtest.ExpectNothingLeft(t, s)
}

// Of two members of a bundle one is bad: those paths fail that take it, and no other. A second connection from the same
// port takes the same member.
func TestWatchFindsOneBadMember(t *testing.T) {
	t.Parallel()
	const paths = 16 // that all take the same one has a chance of 3e-5
	s := labtest.New(t, lab.Options{})
	defer labtest.Inject(t, s, "ecmp=2/1/7:push-at-zero")()
	w := watchFrom(t, s, append([]string{s.Target(lab.IPv4, lab.Echo).String(), "--hold", "--paths", "16", "--for",
		"40s"}, quick...)...)
	status := w.end()
	if n := w.count(watch.Fails); status != cli.ExitFail || n == 0 || n == paths || w.count(watch.Dismissed) > 0 {
		t.Errorf("status %d, %d of %d paths fail\n%s", status, n, paths, w)
	}
	labtest.ExpectNothingLeft(t, s)
}
