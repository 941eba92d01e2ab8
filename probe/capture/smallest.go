package capture

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Finding is a result that failed, and the packets of one flow that show it.
type Finding struct {
	Result  report.Result
	Records []conn.Record
}

// Smallest is a capture of the packets that show the findings of r, of at most report.MaxCapture bytes: whole
// findings as long as there is room, and the first in any case, if need be without what repeats itself.
// It is nil without findings.
func Smallest(r report.Report, findings []Finding) []byte {
	if len(findings) == 0 {
		return nil
	}
	e := excerpt{system: system([]report.Report{r}), title: title(r), flows: new(flows)}
	for _, f := range findings {
		e.add(f)
	}
	return e.bytes()
}

// excerpt is a smallest capture in the making.
type excerpt struct {
	system, title string
	lines         []string // of the comment
	left          int      // findings that found no room
	blocks        []timed
	flows         *flows
}

// timed is a packet block with the time of its packet.
type timed struct {
	time  time.Time
	bytes []byte
}

// room is what findings may take, in bytes; the rest is for the line that counts those left out.
const room = report.MaxCapture - 128

// add takes a finding in, if there is room.
func (e *excerpt) add(f Finding) {
	more := *e
	more.lines = append(slices.Clone(e.lines), describe(f.Result))
	more.blocks = append(slices.Clone(e.blocks), e.encode(f.Records)...)
	switch {
	case more.size() <= room:
		*e = more
	case len(e.lines) == 0:
		e.squeeze(f)
	default:
		e.left++
	}
}

// squeeze takes in of the first finding what there is room for.
func (e *excerpt) squeeze(f Finding) {
	e.lines = []string{describe(f.Result), "cut: more packets show this than there is room for\n"}
	for _, b := range e.encode(firsts(f.Records)) {
		e.blocks = append(e.blocks, b)
		if e.size() > room {
			e.blocks = e.blocks[:len(e.blocks)-1]
			return
		}
	}
}

// firsts are the first segment of each part and what answered it.
func firsts(records []conn.Record) []conn.Record {
	seen, skipping := map[string]bool{}, false
	return slices.DeleteFunc(slices.Clone(records), func(r conn.Record) bool {
		if r.Origin == conn.Prober {
			skipping = seen[r.Part]
			seen[r.Part] = true
		}
		return skipping
	})
}

// encode leaves nothing out: what was sent was built once and can be built again.
func (e *excerpt) encode(records []conn.Record) (out []timed) {
	for _, r := range records {
		if p, err := e.flows.packet(r); err == nil {
			out = append(out, timed{p.time, p.append(nil)})
		}
	}
	return out
}

func (e *excerpt) head() []byte {
	text := e.title + strings.Join(e.lines, "")
	if e.left > 0 {
		text += fmt.Sprintf("failures whose packets found no room: %d\n", e.left)
	}
	return appendHead(nil, strings.TrimSuffix(text, "\n"), e.system)
}

func (e *excerpt) size() int {
	n := len(e.head())
	for _, b := range e.blocks {
		n += len(b.bytes)
	}
	return n
}

func (e *excerpt) bytes() []byte {
	slices.SortStableFunc(e.blocks, func(a, b timed) int { return a.time.Compare(b.time) })
	out := [][]byte{e.head()}
	for _, b := range e.blocks {
		out = append(out, b.bytes)
	}
	return bytes.Join(out, nil)
}
