package watch

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// Ask is one segment to send: a suspect, which starts at 0, or a control, which is the same at another old number.
type Ask struct {
	Variant variant.Variant
	Suspect bool
	At      seq.Number
	Length  int // bytes of data

	sent     time.Time
	answered time.Time
	judged   bool // it counted as lost when its round was judged
}

// Flags are the segment's flags.
func (a *Ask) Flags() segment.Flags { return segment.Flags(a.Variant.Flags) }

// named is the block by which the peer names the segment as a duplicate (RFC 2883). A FIN has a number of its own.
func (a *Ask) named() segment.SACKBlock {
	end := a.At.Add(a.Length)
	if a.Variant.Flags&variant.FIN != 0 {
		end = end.Add(1)
	}
	return segment.SACKBlock{Left: a.At, Right: end}
}

// Left says when the segment left.
func (a *Ask) Left(at time.Time) { a.sent = at }

func (a *Ask) arrived() bool { return !a.answered.IsZero() }

// took is how long the answer took.
func (a *Ask) took() time.Duration { return max(a.answered.Sub(a.sent), 0) }

// onTime reports whether the answer came within the bound.
func (a *Ask) onTime(bound time.Duration) bool { return a.arrived() && a.took() <= bound }

// blockLengths is how many lengths the segments of a block have. Those of one block differ, so that an answer tells
// which of the suspects arrived: all of these have the same number.
const blockLengths = 16

// roundLength is the length of the data of a round's segments, which differs from those of the rounds before. It is
// odd, so that the block of a FIN, which has a number more, is no other one's.
func roundLength(round int) int { return 1 + round%(blockLengths/2)*2 }

// cookieNumbers: a control stays so far below the initial number, because for a peer that answers with SYN cookies the
// numbers just below it complete the handshake.
const cookieNumbers = 17

// control returns a control beside a suspect. Its number is random, and is none of the last ones.
func (p *Path) control(v variant.Variant, length int) *Ask {
	highest := p.iss.Add(-cookieNumbers - blockLengths - 1).Sub(seq.At(0))
	for {
		a := &Ask{Variant: v, At: seq.At(uint32(1 + p.random.IntN(highest))), Length: length}
		if _, used := p.asked[a.named()]; !used {
			return a
		}
	}
}

func suspect(v variant.Variant, length int) *Ask {
	return &Ask{Variant: v, Suspect: true, At: seq.At(0), Length: length}
}

// keepAsked is for how long an answer to a segment is waited for, however late it is.
const keepAsked = 8 * time.Second

// remember keeps what is sent now, so that its answer is recognised. Of two with the same block the later one is meant.
func (p *Path) remember(a *Ask, now time.Time) *Ask {
	a.sent = now
	p.asked[a.named()] = a
	p.latest = append(p.latest, a)
	for len(p.latest) > 0 && now.Sub(p.latest[0].sent) > keepAsked {
		if old := p.latest[0]; p.asked[old.named()] == old {
			delete(p.asked, old.named())
		}
		p.latest = p.latest[1:]
	}
	return a
}
