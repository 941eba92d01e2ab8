package capture

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Failure is a result that failed, and the packets of one flow that show it.
type Failure struct {
	Result  report.Result
	Records []conn.Record
}

// Excerpt returns a capture of the packets that show the failures of r, of at most report.MaxCapture bytes. It has as
// many whole failures as fit. The first failure is always there; if it alone is too long, repeated segments are left
// out. Without failures Excerpt returns nil.
func Excerpt(r report.Report, failures []Failure) []byte {
	if len(failures) == 0 {
		return nil
	}
	e := excerptBuilder{system: system([]report.Report{r}), title: title(r), flows: new(flows)}
	for _, f := range failures {
		e.add(f)
	}
	return e.bytes()
}

// excerptBuilder collects the packets and comment lines of an excerpt.
type excerptBuilder struct {
	system, title string
	lines         []string // lines of the file's comment
	omitted       int      // number of failures that did not fit
	blocks        []timedBlock
	flows         *flows
}

// timedBlock is a packet block with the time of its packet.
type timedBlock struct {
	time  time.Time
	bytes []byte
}

// failureBytes is how many bytes the failures may take. The rest is reserved for the comment line that counts the
// omitted ones.
const failureBytes = report.MaxCapture - 128

// add adds a failure if it fits.
func (e *excerptBuilder) add(f Failure) {
	more := *e
	more.lines = append(slices.Clone(e.lines), describe(f.Result))
	more.blocks = append(slices.Clone(e.blocks), e.encode(f.Records)...)
	switch {
	case more.size() <= failureBytes:
		*e = more
	case len(e.lines) == 0:
		e.addTruncated(f)
	default:
		e.omitted++
	}
}

// addTruncated adds as many packets of the first failure as fit.
func (e *excerptBuilder) addTruncated(f Failure) {
	e.lines = []string{describe(f.Result), "cut: more packets show this than there is room for\n"}
	for _, b := range e.encode(firstOfEachPart(f.Records)) {
		e.blocks = append(e.blocks, b)
		if e.size() > failureBytes {
			e.blocks = e.blocks[:len(e.blocks)-1]
			return
		}
	}
}

// firstOfEachPart returns the first segment of each part and the packets that answer it.
func firstOfEachPart(records []conn.Record) []conn.Record {
	seen, skipping := map[evidence.Part]bool{}, false
	return slices.DeleteFunc(slices.Clone(records), func(r conn.Record) bool {
		if r.Origin == conn.Prober {
			skipping = seen[r.Part]
			seen[r.Part] = true
		}
		return skipping
	})
}

// encode turns records into packet blocks. It ignores errors: each of these segments was built once before, when it was
// sent, so building it again cannot fail.
func (e *excerptBuilder) encode(records []conn.Record) (out []timedBlock) {
	for _, r := range records {
		if p, err := e.flows.packet(r); err == nil {
			out = append(out, timedBlock{p.time, p.append(nil)})
		}
	}
	return out
}

func (e *excerptBuilder) head() []byte {
	text := e.title + strings.Join(e.lines, "")
	if e.omitted > 0 {
		text += fmt.Sprintf("failures whose packets found no room: %d\n", e.omitted)
	}
	return appendHead(nil, strings.TrimSuffix(text, "\n"), e.system)
}

func (e *excerptBuilder) size() int {
	n := len(e.head())
	for _, b := range e.blocks {
		n += len(b.bytes)
	}
	return n
}

func (e *excerptBuilder) bytes() []byte {
	slices.SortStableFunc(e.blocks, func(a, b timedBlock) int { return a.time.Compare(b.time) })
	out := [][]byte{e.head()}
	for _, b := range e.blocks {
		out = append(out, b.bytes)
	}
	return bytes.Join(out, nil)
}
