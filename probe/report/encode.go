package report

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Encode writes s as one line of JSON of at most MaxSummary bytes. If s is longer, it leaves out, in this order:
// evidence, from the last group and the last line on; messages and numbers of all groups but the first; whole groups
// from the end, which Cut counts. So check, verdict, reason and rule are kept longest.
func (s Summary) Encode() []byte {
	s = s.bounded()
	whole := s.Groups
	s.Groups, s.Cut = nil, s.Cut+len(whole) // the largest value that Cut can get, so that its digits fit
	left := room(MaxSummary - len(marshal(s)) - len(`"groups":[],`))
	for i, g := range whole {
		if !left.take("", g.withoutDetails()) {
			break
		}
		s.Groups = append(s.Groups, g.withoutDetails())
		s.Cut--
		if i == 0 {
			s.Groups[i].addMessage(g, &left)
		}
	}
	for i := range s.Groups {
		if i > 0 {
			s.Groups[i].addMessage(whole[i], &left)
		} else {
			s.Groups[i].addEvidence(whole[i], &left)
		}
	}
	for i := 1; i < len(s.Groups); i++ {
		s.Groups[i].addEvidence(whole[i], &left)
	}
	return marshal(s)
}

// room is the number of bytes that are left.
type room int

// take subtracts the size of an element or of a named member, with its comma. It returns false if there is too little
// room.
func (r *room) take(name string, v any) bool {
	n := room(len(marshal(v)) + len(name) + len(`,`))
	if n > *r {
		return false
	}
	*r -= n
	return true
}

// bounded returns s with texts that are printable and no longer than DecodeSummary accepts.
func (s Summary) bounded() Summary {
	s.Run, s.Source = ascii(s.Run, maxRun), ascii(s.Source, maxNode)
	s.Guard, s.Kernel = ascii(s.Guard, maxWord), ascii(s.Kernel, maxRelease)
	s.Error = clean(s.Error, maxError)
	if len(s.Matrix) > maxMatrix || s.Error != "" {
		// only an invalid plan has so many verdicts, and a part of them would be misleading
		s.Matrix, s.Overlay, s.Routed, s.Groups = "", "", "", nil
	}
	if len(s.Overlay)+len(s.Routed) > maxPathTypes {
		s.Overlay, s.Routed = "", "" // too long: leave them out, which means Unknown
	}
	s.Overlay, s.Routed = ascii(s.Overlay, maxPathTypes), ascii(s.Routed, maxPathTypes)
	kept := s.Groups[:min(len(s.Groups), maxGroups)]
	s.Cut = max(s.Cut, 0) + len(s.Groups) - len(kept)
	s.Groups = make([]Group, len(kept))
	for i, g := range kept {
		s.Groups[i] = g.bounded()
	}
	return s
}

func (g Group) bounded() Group {
	g.Verdict, g.Reason = Verdict(ascii(string(g.Verdict), maxWord)), Reason(ascii(string(g.Reason), maxWord))
	g.Also, g.Rule, g.Message = ascii(g.Also, maxWord), ascii(g.Rule, maxWord), clean(g.Message, maxMessage)
	if !(g.Alpha >= 0 && g.Alpha <= 1) { // NaN too
		g.Alpha = 1
	}
	g.Share, g.Queue = g.Share.bounded(), g.Queue.bounded()
	lines := g.Evidence[:min(len(g.Evidence), maxLines)]
	g.Evidence = make([]string, len(lines))
	for i, line := range lines {
		g.Evidence[i] = clean(line, maxLine)
	}
	return g
}

// roundedShare limits f to 0..1 and rounds it to four decimal places.
func roundedShare(f float64) float64 {
	if !(f >= 0 && f <= 1) { // NaN too
		return 1
	}
	return math.Round(f*1e4) / 1e4
}

// clean returns s on one line. Unprintable characters become question marks. If s is longer than limit bytes, it is cut
// and ends in an ellipsis.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if len(s) <= limit {
		return s
	}
	const more = "…"
	end := limit - len(more)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}

// ascii returns s as a name: non-ASCII bytes and bytes that JSON escapes become question marks.
func ascii(s string, limit int) string {
	b := []byte(s[:min(len(s), limit)])
	for i, c := range b {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			b[i] = '?'
		}
	}
	return string(b)
}

// marshal returns compact JSON in which < and > are not escaped. The types of this package cannot fail to marshal.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("report: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
