package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Coverage is what a Pass of SequenceWrap rests on: what arrived.
type Coverage struct {
	SourcePorts int       `json:"sourcePorts"`       // from which the suspects arrived; each may be another path
	Bytes       *Lengths  `json:"bytes,omitempty"`   // of data in them; absent if they had none
	Options     []string  `json:"options,omitempty"` // TCP options in them
	Direction   Direction `json:"direction"`
	// Connections are those in which the suspects were sent; absent if they belong to none, or open one.
	Connections *Connections    `json:"connections,omitempty"`
	Kernel      *KernelCoverage `json:"kernel,omitempty"` // ordinary connections, where these crossed 0 unharmed
}

// Connections say in which connections suspects arrived beside new and busy ones.
type Connections struct {
	Idle      bool `json:"idle,omitempty"`      // nothing had been sent for IdleFrom or longer
	LongLived bool `json:"longLived,omitempty"` // open for LongLivedFrom or longer
}

// From then on a connection is idle, or long-lived.
const (
	IdleFrom      = time.Second
	LongLivedFrom = time.Minute
)

func (c *Connections) notAsked() (missing []string) {
	if c != nil && !c.Idle {
		missing = append(missing, "idle connections")
	}
	if c != nil && !c.LongLived {
		missing = append(missing, "long-lived connections")
	}
	return missing
}

// Direction is that of the segments whose number was 0.
type Direction string

// Directions.
const (
	ToTarget Direction = "ToTarget"
	BothWays Direction = "BothWays" // and the target's answer, whose number was 0 too
	// FromTarget: the target's number was 0, and not this side's
	FromTarget Direction = "FromTarget"
)

// Lengths are how long the data of segments was.
type Lengths struct {
	Least     int `json:"least"`
	Most      int `json:"most"`
	Different int `json:"different"` // number of lengths
}

// KernelCoverage is what ordinary connections carried across 0.
type KernelCoverage struct {
	Sizes   []string `json:"sizes"` // as KernelSize.Size
	MSS     int      `json:"mss"`
	Options []string `json:"options,omitempty"`
}

// coverageLines say what the results that passed cover, of each target one line for results that cover the same.
func (r Report) coverageLines() (lines []string) {
	type group struct {
		target string
		titles []string
		Coverage
	}
	var groups []*group
	for _, res := range r.Results {
		if res.Covers == nil || res.Verdict != Pass {
			continue
		}
		i := slices.IndexFunc(groups, func(g *group) bool { return g.target == res.Target && g.alike(*res.Covers) })
		if i < 0 {
			groups = append(groups, &group{res.Target, []string{res.title()}, *res.Covers})
			continue
		}
		groups[i].titles = append(groups[i].titles, strings.TrimPrefix(res.title(), res.Scenario+"/"))
		groups[i].Bytes = groups[i].Bytes.plus(res.Covers.Bytes)
	}
	for _, g := range groups {
		lines = append(lines, printable(fmt.Sprintf("covered by %s to %s: %s", strings.Join(g.titles, ", "), g.target,
			g.Coverage)))
	}
	return lines
}

// alike reports whether c and d differ in the lengths at most.
func (c Coverage) alike(d Coverage) bool {
	return c.SourcePorts == d.SourcePorts && c.Direction == d.Direction && slices.Equal(c.Options, d.Options) &&
		(c.Bytes == nil) == (d.Bytes == nil) && c.Kernel.text() == d.Kernel.text() &&
		slices.Equal(c.Connections.notAsked(), d.Connections.notAsked())
}

func (l *Lengths) plus(m *Lengths) *Lengths {
	if l == nil || m == nil {
		return l
	}
	return &Lengths{min(l.Least, m.Least), max(l.Most, m.Most), max(l.Different, m.Different)}
}

// String says what is covered, and what of the same kind was not asked.
func (c Coverage) String() string {
	text := "segments"
	if c.Direction == FromTarget {
		text = "the target's own segments"
	}
	if l := c.Bytes; l != nil && l.Least == l.Most {
		text += " of " + number(l.Least, "byte")
	} else if l != nil {
		text += fmt.Sprintf(" of %d to %d bytes", l.Least, l.Most)
	}
	text += " " + with(c.Options) + ", from " + number(c.SourcePorts, "source port")
	if c.Direction == BothWays {
		text += ", and the answers at 0"
	}
	if c.Kernel != nil {
		text += "; " + c.Kernel.text()
	}
	if missing := c.notAsked(); len(missing) > 0 {
		text += "; not asked: " + strings.Join(missing, ", ")
	}
	return text
}

func (k *KernelCoverage) text() string {
	if k == nil {
		return ""
	}
	waiting, others := k.sizes()
	text := "ordinary connections " + with(k.Options)
	if len(waiting) > 0 {
		text += ", of " + strings.Join(waiting, ", ") + " bytes"
	}
	return strings.Join(append([]string{fmt.Sprintf("%s (MSS %d)", text, k.MSS)}, others...), ", ")
}

// sizes are those of connections that waited for the acknowledgement of what is before 0, and of those that did not.
func (k *KernelCoverage) sizes() (waiting, others []string) {
	for _, s := range k.Sizes {
		if s == SizeInFlight || s == SizeAcross {
			others = append(others, s)
		} else {
			waiting = append(waiting, s)
		}
	}
	return waiting, others
}

// inFlight reports whether data was in flight when the number 0 was crossed.
func (k *KernelCoverage) inFlight() bool { return k != nil && slices.Contains(k.Sizes, SizeInFlight) }

func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func with(options []string) string {
	if len(options) == 0 {
		return "without TCP options"
	}
	return "with " + strings.Join(options, ", ")
}

func (c Coverage) notAsked() (missing []string) {
	if c.Bytes != nil {
		missing = append(missing, "other lengths, other content")
	}
	if len(c.Options) == 0 && (c.Kernel == nil || len(c.Kernel.Options) == 0) {
		missing = append(missing, "TCP options")
	}
	if c.Bytes != nil && c.Connections != nil && c.Kernel == nil {
		missing = append(missing, "ordinary connections and what they send after 0")
	}
	if c.Bytes != nil && c.Connections != nil && !c.Kernel.inFlight() {
		missing = append(missing, "data in flight across 0")
	}
	missing = append(missing, c.Connections.notAsked()...)
	missing = append(missing, "other ports of the target")
	if c.Direction == ToTarget {
		missing = append(missing, "the target's own segments at 0")
	}
	return missing
}
