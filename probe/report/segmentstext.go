package report

import (
	"fmt"
	"strconv"
)

// SegmentsText says what was lost and how late answers were, of suspects beside controls: "lost: 3 of 19 suspects
// (16 %), 2 of 40 controls (5.0 %); round trip: suspects 400µs, at most 1.2ms, controls …". It is empty if nothing was
// sent.
func SegmentsText(suspects, controls *Segments) string {
	text := lossText(suspects, controls)
	if rtt := both(suspects.rtt("suspects"), controls.rtt("controls")); rtt != "" {
		text += "; round trip: " + rtt
	}
	return text
}

func lossText(suspects, controls *Segments) string {
	if suspects == nil && controls == nil {
		return ""
	}
	return "lost: " + both(suspects.lost("suspects"), controls.lost("controls"))
}

func both(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

func (s *Segments) lost(what string) string {
	if s == nil || s.Sent == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d %s (%s)", s.Lost, s.Sent, what, percent(s.Lost, s.Sent))
}

// percent has one decimal place below 10 %.
func percent(part, of int) string {
	p, places := 100*float64(part)/float64(of), 0
	if part > 0 && p < 9.95 {
		places = 1
	}
	return strconv.FormatFloat(p, 'f', places, 64) + " %"
}

func (s *Segments) rtt(what string) string {
	if s == nil || s.RTTMicros == nil {
		return ""
	}
	return fmt.Sprintf("%s %s, at most %s", what, micros(s.RTTMicros.Median), micros(s.RTTMicros.Max))
}

// segmentsText is the line of one result for people. It is empty where nothing was lost and suspects were not later
// than controls.
func (r Result) segmentsText() string {
	if sum := r.Suspects.Plus(r.Controls); sum == nil || sum.Lost == 0 && !Late(r.Suspects, r.Controls) {
		return ""
	}
	return SegmentsText(r.Suspects, r.Controls)
}

// segmentLines are the lines below the table: what was lost to each target, and what one result has that says more.
func (r Report) segmentLines() (lines []string) {
	byTarget := make(map[string][]Result)
	var order []string
	for _, res := range r.Results {
		if byTarget[res.Target] == nil {
			order = append(order, res.Target)
		}
		byTarget[res.Target] = append(byTarget[res.Target], res)
	}
	for _, target := range order {
		lines = append(lines, linesOf(target, byTarget[target])...)
	}
	return lines
}

func linesOf(target string, results []Result) (lines []string) {
	var suspects, controls *Segments
	for _, r := range results {
		suspects, controls = suspects.Plus(r.Suspects), controls.Plus(r.Controls)
	}
	sum := suspects.Plus(controls)
	if len(results) > 1 && sum != nil && sum.Lost > 0 {
		lines = append(lines, printable(target+": "+lossText(suspects, controls)))
	}
	for _, r := range results {
		says := len(results) == 1 || Lossy(r.Suspects, r.Controls) || Late(r.Suspects, r.Controls)
		if text := r.segmentsText(); r.plain() && says && text != "" {
			lines = append(lines, printable(r.title()+" to "+target+": "+text))
		}
	}
	return lines
}
