package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/probe/watch"
)

// watchView shows a watch's events.
type watchView struct {
	out   io.Writer
	err   error
	json  bool
	rows  []watchRow // by the path's place
	lines int        // live lines on the terminal
	next  time.Time  // when the rows are shown next, if there is no terminal
	fd    int        // of the terminal; -1: there is none
}

// watchRow is the state of one path.
type watchRow struct {
	last  watch.Event
	rate  float64 // pairs a second
	since watch.Event
}

// Times of rows.
const (
	plainEvery = time.Minute      // from one list of all paths to the next, without a terminal
	rateOver   = 10 * time.Second // over which a rate is taken
)

func newWatchView(out io.Writer, format string, paths int) *watchView {
	v := &watchView{out: out, json: format == cli.JSON, rows: make([]watchRow, 0, paths), fd: -1,
		next: time.Now().Add(plainEvery)}
	if f, ok := out.(*os.File); ok {
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
			v.fd = int(f.Fd())
		}
	}
	return v
}

// show shows an event. Reports change the rows only.
func (v *watchView) show(e watch.Event) {
	switch {
	case e.Kind == watch.Reports && v.json, e.Kind == watch.Unable:
	case v.json:
		line, err := json.Marshal(e)
		v.note(err)
		v.print(string(line) + "\n")
	case e.Kind == watch.Reports:
		v.row(e)
	case e.Kind == watch.Ends:
	default:
		v.above(textOf(e) + "\n")
	}
}

func (v *watchView) print(text string) {
	_, err := io.WriteString(v.out, text)
	v.note(err)
}

func (v *watchView) note(err error) {
	if v.err == nil {
		v.err = err
	}
}

// textOf is the line of an event.
func textOf(e watch.Event) string {
	text := e.Time.Local().Format(time.TimeOnly) + " "
	if e.Path > 0 {
		text += fmt.Sprintf("%s path %d", e.Target, e.Path)
		if e.Port > 0 {
			text += fmt.Sprintf(" (port %d)", e.Port)
		}
		text += ": "
	}
	text += string(e.Kind)
	switch {
	case e.Verdict != "" && e.Reason != "":
		text += fmt.Sprintf(", %s / %s", e.Verdict, e.Reason)
	case e.Verdict != "":
		text += ", " + string(e.Verdict)
	}
	return text + ": " + e.Message
}

// row takes a path's report, and draws all rows after that of the last path.
func (v *watchView) row(e watch.Event) {
	at := 0
	for at < len(v.rows) && (v.rows[at].last.Target != e.Target || v.rows[at].last.Path != e.Path) {
		at++
	}
	if at == len(v.rows) {
		v.rows = append(v.rows, watchRow{since: e})
	}
	r := &v.rows[at]
	if took := e.Time.Sub(r.since.Time); took > 0 {
		r.rate = float64(e.Counts.Rounds-r.since.Counts.Rounds) / took.Seconds()
		if took > rateOver {
			r.since = e
		}
	}
	r.last = e
	switch {
	case at < len(v.rows)-1:
	case v.fd >= 0:
		v.erase()
		v.draw()
	case !e.Time.Before(v.next):
		v.next = e.Time.Add(plainEvery)
		v.print(v.table(len(v.rows)))
	}
}

// above prints a line above the rows.
func (v *watchView) above(text string) {
	v.erase()
	v.print(text)
	if v.fd >= 0 {
		v.draw()
	}
}

// erase takes the rows from the terminal.
func (v *watchView) erase() {
	if v.lines > 0 {
		v.print(fmt.Sprintf("\x1b[%dA\x1b[J", v.lines))
		v.lines = 0
	}
}

// Size of a terminal that does not tell.
const (
	usualWidth  = 80
	usualHeight = 24
)

// draw prints as many rows as the terminal has room for.
func (v *watchView) draw() {
	width, height := usualWidth, usualHeight
	if size, err := unix.IoctlGetWinsize(v.fd, unix.TIOCGWINSZ); err == nil && size.Col > 0 {
		width, height = int(size.Col), int(size.Row)
	}
	text := v.table(min(len(v.rows), max(1, height-3)))
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		v.print(string([]rune(line)[:min(len([]rune(line)), width)]) + "\n")
		v.lines++
	}
}

// table has a line for each of the first paths.
func (v *watchView) table(rows int) string {
	if rows == 0 {
		return ""
	}
	width := 0
	for _, r := range v.rows[:rows] {
		width = max(width, len(r.last.Target))
	}
	const layout = "%-4s %-*s %-5s %-7s %7s %8s %6s %5s %5s\n"
	var b strings.Builder
	fmt.Fprintf(&b, layout, "PATH", width, "TARGET", "PORT", "STATE", "PAIRS/S", "RTT", "MISSED", "LATE", "LOST")
	for _, r := range v.rows[:rows] {
		n := r.last.Counts
		fmt.Fprintf(&b, layout, fmt.Sprint(r.last.Path), width, r.last.Target, fmt.Sprint(r.last.Port), r.last.State,
			fmt.Sprintf("%.1f", r.rate), roundTrip(r.last.RTT), fmt.Sprint(n.Silent+n.ControlsLost), fmt.Sprint(n.Late),
			fmt.Sprint(n.SuspectsLost))
	}
	if more := len(v.rows) - rows; more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	return b.String()
}

func roundTrip(d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	return d.Round(max(time.Microsecond, d/1000)).String()
}
