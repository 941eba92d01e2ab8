package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// MaxSummary is the size in bytes that an encoded Summary never exceeds. The kubelet keeps 4,096 of a
// container's termination message and 12,288 of a pod's.
const MaxSummary = 2000

// Bounds of a Summary's texts, in bytes.
const (
	maxRun     = 63
	maxNode    = 253
	maxWord    = 63
	maxRelease = 64
	maxMessage = 300
	maxLine    = 160
	maxLines   = 32
	maxError   = 600
	maxGroups  = 64
	maxMatrix  = (plan.MaxVerdicts*2 + 5) / 6 // base64 characters, six bits each
)

// Encode writes s as one line of JSON of at most MaxSummary bytes. What does not fit goes: first
// evidence, from the last group and the last line on, then whole groups from the end, counted in Cut.
func (s Summary) Encode() []byte {
	s = s.bounded()
	groups := s.Groups
	s.Groups, s.Cut = nil, s.Cut+len(groups) // the largest number that Cut can be
	room := MaxSummary - len(marshal(s)) - len(`"groups":[],`)
	for _, g := range groups {
		bare := g
		bare.Evidence = nil
		n := len(marshal(bare)) + len(`,`)
		if n > room {
			break
		}
		room -= n
		s.Groups = append(s.Groups, bare)
		s.Cut--
	}
	for i := range s.Groups {
		s.Groups[i].Evidence, room = fitting(groups[i].Evidence, room)
	}
	return marshal(s)
}

// fitting is how many of the lines find room, and the room that is left.
func fitting(lines []string, room int) ([]string, int) {
	room -= len(`,"e":[]`)
	for i, line := range lines {
		n := len(marshal(line)) + len(`,`)
		if n > room {
			return lines[:i], room
		}
		room -= n
	}
	return lines, room
}

// bounded is s with every text printable and no longer than DecodeSummary accepts.
func (s Summary) bounded() Summary {
	s.Run, s.Source = ascii(s.Run, maxRun), ascii(s.Source, maxNode)
	s.Guard, s.Kernel = ascii(s.Guard, maxWord), ascii(s.Kernel, maxRelease)
	s.Error = clean(s.Error, maxError)
	if len(s.Matrix) > maxMatrix || s.Error != "" {
		s.Matrix, s.Groups = "", nil // the plan was not valid: better no verdict than half of them
	}
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
	g.Rule, g.Message = ascii(g.Rule, maxWord), clean(g.Message, maxMessage)
	if !(g.Alpha >= 0 && g.Alpha <= 1) { // NaN too
		g.Alpha = 1
	}
	lines := g.Evidence[:min(len(g.Evidence), maxLines)]
	g.Evidence = make([]string, len(lines))
	for i, line := range lines {
		g.Evidence[i] = clean(line, maxLine)
	}
	return g
}

// clean is s on one line: what cannot be printed becomes a question mark, and what goes beyond limit
// bytes an ellipsis.
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

// ascii is s as a name: bytes that JSON would have to escape, and all beyond ASCII, become question
// marks.
func ascii(s string, limit int) string {
	b := []byte(s[:min(len(s), limit)])
	for i, c := range b {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			b[i] = '?'
		}
	}
	return string(b)
}

// marshal is compact JSON that leaves < and > readable. It is given values of this package, which
// cannot fail to marshal.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("report: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// wireGroup is a Group with the short names that a termination message needs.
type wireGroup struct {
	Check    int      `json:"c"`
	Verdict  Verdict  `json:"v"`
	Reason   Reason   `json:"r"`
	Rule     string   `json:"u,omitempty"`
	Message  string   `json:"m,omitempty"`
	Targets  string   `json:"t"`
	Flows    [4]int   `json:"f"` // tried, pass, fail, inconclusive
	Alpha    float64  `json:"a,omitempty"`
	Stall    int64    `json:"s,omitempty"` // milliseconds
	Evidence []string `json:"e,omitempty"`
}

// MarshalJSON writes a wireGroup.
func (g Group) MarshalJSON() ([]byte, error) {
	return marshal(wireGroup{
		g.Check, g.Verdict, g.Reason, g.Rule, g.Message, g.Targets,
		[4]int{g.Flows.Tried, g.Flows.Pass, g.Flows.Fail, g.Flows.Inconclusive},
		g.Alpha, g.StallMillis, g.Evidence,
	}), nil
}

// UnmarshalJSON reads a wireGroup.
func (g *Group) UnmarshalJSON(b []byte) error {
	var w wireGroup
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*g = Group{
		w.Check, w.Verdict, w.Reason, w.Rule, w.Message, w.Targets,
		Flows{w.Flows[0], w.Flows[1], w.Flows[2], w.Flows[3]},
		w.Alpha, w.Stall, w.Evidence,
	}
	return nil
}
