package plan

import (
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/payload"
)

// Bounds of FinReorder. The schema of the resource has the same.
const (
	MaxGapMillis = 1000
	MaxSend      = 1024 // bytes
	MaxPath      = 512  // bytes
)

// validFinReorder requires exactly one trigger for FinReorder, and no FinReorder options for other scenarios.
func (s Scenario) validFinReorder(i int) error {
	f := s.FinReorder
	switch {
	case f == nil && s.Type == "FinReorder":
		return invalid("scenario %d, FinReorder, has no trigger; need onAccept, send or httpGet", i)
	case f == nil:
		return nil
	case s.Type != "FinReorder":
		return invalid("scenario %d, %s, has the options of FinReorder", i, s.Type)
	case f.GapMillis < 1 || f.GapMillis > MaxGapMillis:
		return invalid("scenario %d has gapMillis %d; need 1 to %d", i, f.GapMillis, MaxGapMillis)
	}
	return f.Trigger.valid(i)
}

func (t Trigger) valid(i int) error {
	n := 0
	for _, given := range []bool{t.OnAccept, t.Send != "", t.HTTPGet != ""} {
		if given {
			n++
		}
	}
	sent, err := payload.Decode(t.Send)
	switch {
	case n != 1:
		return invalid("scenario %d has %d triggers; need exactly one of onAccept, send and httpGet", i, n)
	case err != nil:
		return invalid("scenario %d sends %.80q to have the peer close: %v", i, t.Send, err)
	case len(sent) > MaxSend:
		return invalid("scenario %d sends %d bytes to have the peer close; at most %d", i, len(sent), MaxSend)
	case len(t.HTTPGet) > MaxPath:
		return invalid("scenario %d has a path of %d bytes; at most %d", i, len(t.HTTPGet), MaxPath)
	case t.HTTPGet != "" && !isRequestPath(t.HTTPGet):
		return invalid("scenario %d has path %.80q; need / and printable ASCII without spaces", i, t.HTTPGet)
	}
	return nil
}

// isRequestPath reports whether s may be the path in an HTTP request line.
func isRequestPath(s string) bool {
	return strings.HasPrefix(s, "/") && all([]byte(s), func(c byte) bool { return c >= '!' && c <= '~' })
}
