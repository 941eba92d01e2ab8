package watch

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// Alpha is the error of one block: that chance alone makes exactly its suspects fail.
const Alpha = 1e-7

// Blocks. The second one is sent if controls were lost in the first, and has half the error.
var (
	firstBlock  = verdict.Block{Suspects: 8, Beacons: 24}
	secondBlock = verdict.Block{Suspects: 16, Beacons: 48}
)

// Times of a block.
const (
	blockStep = 20 * time.Millisecond
	// blockWait is how long the answers to a block are waited for, and lateWait how long that to the first suspect that
	// was lost: late is not lost.
	blockWait = time.Second
	lateWait  = 4 * time.Second
)

// block is suspects and controls of one variant in random order.
type block struct {
	question *question
	size     verdict.Block
	alpha    float64
	second   bool
	order    []bool // what is still to be sent; true stands for a suspect
	asks     []*Ask
	next     time.Time
	judge    time.Time // once all are sent
	late     bool      // a suspect of before was answered meanwhile
	void     bool
}

// startBlock begins a block about the question.
func (p *Path) startBlock(q *question, now time.Time, second bool) {
	b := &block{question: q, size: firstBlock, alpha: Alpha, second: second, next: now}
	if second {
		b.size, b.alpha = secondBlock, Alpha/2
	}
	b.order = make([]bool, b.size.Suspects+b.size.Beacons)
	for i := range b.size.Suspects {
		b.order[i] = true
	}
	p.random.Shuffle(len(b.order), func(i, j int) { b.order[i], b.order[j] = b.order[j], b.order[i] })
	p.block, p.open = b, nil
	p.noteBlock(now)
}

// nextOf returns the block's next segment, if it is due. Suspects have different lengths, and controls the same ones.
func (p *Path) nextOf(b *block, now time.Time) *Ask {
	if len(b.order) == 0 || now.Before(b.next) {
		return nil
	}
	isSuspect := b.order[0]
	b.order = b.order[1:]
	alike := 0
	for _, a := range b.asks {
		if a.Suspect == isSuspect {
			alike++
		}
	}
	length := 1 + alike%blockLengths
	a := p.control(b.question.Variant, length)
	if isSuspect {
		a = suspect(b.question.Variant, length)
	}
	b.asks = append(b.asks, a)
	b.next = now.Add(blockStep)
	if p.serial {
		b.next = now.Add(p.onTime())
	}
	if len(b.order) == 0 {
		b.judge = now.Add(max(blockWait, p.onTime()))
		if patience := b.question.firstLost.Add(lateWait); patience.After(b.judge) {
			b.judge = patience
		}
	}
	return p.remember(a, now)
}

// over reports whether the block can be judged.
func (b *block) over(now time.Time) bool {
	return b.void || len(b.order) == 0 && (!now.Before(b.judge) || b.allAnswered())
}

func (b *block) allAnswered() bool {
	for _, a := range b.asks {
		if !a.arrived() {
			return false
		}
	}
	return true
}

// tally is what became of a block's segments.
type tally struct {
	verdict.Block
	suspectsLost, controlsLost int
	suspectsLate, controlsLate int // or lost
}

func (b *block) tally(bound time.Duration) (t tally) {
	t.Block = b.size
	for _, a := range b.asks {
		lost, late := &t.controlsLost, &t.controlsLate
		if a.Suspect {
			lost, late = &t.suspectsLost, &t.suspectsLate
		}
		if !a.arrived() {
			*lost++
		}
		if !a.onTime(bound) {
			*late++
		}
	}
	return t
}

// lostP is the chance that as many of the losses are suspects; lateP is the same for what is late or lost.
func (t tally) lostP() float64 {
	return verdict.Fisher(t.suspectsLost, t.Suspects, t.controlsLost, t.Beacons)
}

func (t tally) lateP() float64 {
	return verdict.Fisher(t.suspectsLate, t.Suspects, t.controlsLate, t.Beacons)
}

// verdict is what the block shows: a reason to fail, or "". undecided: all suspects failed, and chance is not excluded.
func (b *block) verdict(t tally) (reason report.Reason, p float64, undecided bool) {
	switch {
	case t.suspectsLate < t.Suspects:
		return "", 1, false
	case t.suspectsLost == t.Suspects && !b.late:
		reason, p = report.SequenceZeroDropped, t.lostP()
	default:
		reason, p = report.SequenceZeroDelayed, t.lateP()
	}
	if p > b.alpha {
		return "", p, true
	}
	return reason, p, false
}

// Bounds of blocks.
const (
	mostBlocks   = 24 // of a path in a day
	day          = 24 * time.Hour
	firstBackoff = time.Minute
	mostBackoff  = time.Hour
)

func (p *Path) noteBlock(now time.Time) {
	p.blocks = append(p.blocksOfDay(now), now)
}

// blocksOfDay is when the blocks of the last day began.
func (p *Path) blocksOfDay(now time.Time) []time.Time {
	for len(p.blocks) > 0 && now.Sub(p.blocks[0]) > day {
		p.blocks = p.blocks[1:]
	}
	return p.blocks
}

// mayAsk reports whether a block may be sent now.
func (p *Path) mayAsk(now time.Time) bool {
	return !now.Before(p.quietUntil) && len(p.blocksOfDay(now)) < mostBlocks && !p.noisy()
}

// backOff lets no block begin for a while, and for twice as long the next time.
func (p *Path) backOff(now time.Time) {
	p.backoff = min(max(2*p.backoff, firstBackoff), mostBackoff)
	p.quietUntil = now.Add(p.backoff)
}
