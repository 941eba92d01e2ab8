package sequencewrap

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// alikeKind is a kind of numbers that a rule about 0 may mean as well: multiples, from the least to the most, of one.
type alikeKind struct {
	name        string
	few         int // how many are asked one by one
	least, most uint32
	of          uint32
}

// alikeKinds are all kinds. Each rule about multiples of a power of two has 2^31, each about small numbers has 1.
var alikeKinds = []alikeKind{
	{"2^31", 1, 1, 1, 1 << 31},
	{"multiples of 2^24", 3, 1, 1<<8 - 1, 1 << 24},
	{"multiples of 65536", 4, 1, 1<<16 - 1, 1 << 16},
	{"multiples of 256", 3, 16, 1<<24 - 1, 1 << 8},
	{"1", 1, 1, 1, 1},
	{"2 to 50", 3, 2, 50, 1},
	{"51 to 999", 3, 51, smallBelow - 1, 1},
}

// smallBelow is above all small numbers.
const smallBelow = 1000

func (k alikeKind) draw() seq.Number {
	return seq.At((k.least + rand.Uint32N(k.most-k.least+1)) * k.of)
}

// likeZero reports whether a number that is not small is of one of the kinds.
func likeZero(n seq.Number) bool { return n.Uint32()%(1<<8) == 0 }

// unlike draws an ordinary number of no kind, nor just before one.
func unlike() seq.Number {
	n := ordinary()
	for likeZero(n) || likeZero(n.Add(1)) {
		n = ordinary()
	}
	return n
}

// alikeTest asks about numbers like 0.
type alikeTest struct {
	env   *flow.Env
	kinds []alikeKind
	// ask asks about one number, so often while no answer comes, and waits so long for the last one at least. ok is false
	// if it could not be asked.
	ask func(ctx context.Context, number seq.Number, tries int, patience time.Duration) (arrived, ok bool)

	failed int // questions that could not be asked
	found  verdict.Alike
}

// mostFailed is how many questions may fail before the test is given up.
const mostFailed = 6

// alikeBlocks is how many blocks are sent at most.
const alikeBlocks = 2

// run asks a few of each kind, and then more of those kinds of which one was lost.
func (a *alikeTest) run(ctx context.Context, alpha float64) verdict.Alike {
	a.found.Alpha = alpha / alikeBlocks
	var suspicious []int
	for i, k := range a.kinds {
		a.found.Kinds = append(a.found.Kinds, verdict.AlikeKind{Name: k.name})
		if !a.few(ctx, k, &a.found.Kinds[i].Few) {
			return a.found
		}
		if a.found.Kinds[i].Few.Lost > 0 {
			suspicious = append(suspicious, i)
		}
	}
	a.found.Asked = a.blocks(ctx, suspicious)
	return a.found
}

// blocks asks these kinds, and where some of their numbers arrived, those again of which none did.
func (a *alikeTest) blocks(ctx context.Context, suspicious []int) bool {
	if len(suspicious) == 0 {
		return true
	}
	if !a.block(ctx, suspicious) {
		return false
	}
	var lost []int
	for _, i := range suspicious {
		if n := a.found.Kinds[i].Block; n.Lost == n.Sent {
			lost = append(lost, i)
		}
	}
	if a.found.P() <= a.found.Alpha || len(lost) == 0 || len(lost) == len(suspicious) {
		return true
	}
	a.found.Others = verdict.Count{}
	for _, i := range suspicious {
		k := &a.found.Kinds[i]
		k.Some, k.Block = k.Block, verdict.Count{}
	}
	return a.block(ctx, lost)
}

func (a *alikeTest) few(ctx context.Context, k alikeKind, n *verdict.Count) bool {
	for n.Sent < k.few && n.Lost == 0 {
		if !a.count(ctx, k.draw, healTries, 0, n) {
			return false
		}
	}
	return true
}

// count asks about one number, and about another one where that could not be asked. It returns false if the test must
// be given up.
func (a *alikeTest) count(ctx context.Context, draw func() seq.Number, tries int, patience time.Duration,
	n *verdict.Count,
) bool {
	for ; a.failed < mostFailed && ctx.Err() == nil; a.failed++ {
		arrived, ok := a.ask(ctx, draw(), tries, patience)
		if !ok {
			continue
		}
		if n.Sent++; !arrived {
			n.Lost++
		}
		return ctx.Err() == nil
	}
	return false
}

// mostLoss is the highest loss rate that a block allows for. Where answers that acknowledge 0 are lost, the background
// has that loss too.
const mostLoss = 0.25

// leastOfKind is how many numbers of each kind are in the block.
const leastOfKind = 3

// block gives the last number all the time that a late one may take: if that alone arrives, nothing is concluded.
func (a *alikeTest) block(ctx context.Context, suspicious []int) bool {
	rate := min(max(a.env.Background.Count().Rate(), flow.LeastLoss), mostLoss)
	n, ok := verdict.EvenBlockFor(a.found.Alpha, rate)
	if !ok {
		return false
	}
	n = max(n, leastOfKind*len(suspicious))
	left := n
	for _, alike := range flow.Shuffled(verdict.Block{Suspects: n, Beacons: n}) {
		draw, count, patience := unlike, &a.found.Others, time.Duration(0)
		if alike {
			left--
			i := suspicious[left%len(suspicious)]
			draw, count = a.kinds[i].draw, &a.found.Kinds[i].Block
			if left == 0 {
				patience = convictAfter
			}
		}
		lost := count.Lost
		if !a.count(ctx, draw, 1, patience, count) {
			return false
		}
		if patience > 0 && count.Lost == lost && a.othersLost() {
			return false
		}
	}
	return true
}

// othersLost reports whether all numbers of the block are lost but one.
func (a *alikeTest) othersLost() bool {
	var n verdict.Count
	for _, k := range a.found.Kinds {
		n.Sent, n.Lost = n.Sent+k.Block.Sent, n.Lost+k.Block.Lost
	}
	return n.Lost > 0 && n.Lost == n.Sent-1
}

// askAlike asks whether what is lost at 0 is lost at numbers like it too. It is asked by one flow of a check at a time.
func (w *wrapConn) askAlike(ctx context.Context,
	ask func(context.Context, seq.Number, int, time.Duration) (bool, bool),
) {
	kinds := alikeKinds
	if w.across { // what crosses a small number may cross 0
		kinds = slices.DeleteFunc(slices.Clone(kinds), func(k alikeKind) bool { return k.of == 1 })
	}
	w.conn.Observer = nil // what is sent at 0 is over
	w.Alike = w.Env.Alikes.Ask(ctx, func(alpha float64) verdict.Alike {
		t := &alikeTest{env: w.Env, kinds: kinds, ask: ask}
		return t.run(ctx, alpha)
	})
}
