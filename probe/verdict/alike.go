package verdict

import (
	"fmt"
	"slices"
	"strings"
)

// Alike asks about numbers that a rule about 0 may mean as well: small ones, and multiples of a power of two. Some of
// each kind are asked one by one. Of the kinds of which one stayed lost more are asked, in random order among ordinary
// numbers: in a first block, and where some of them arrived, in a second one of the kinds of which none did.
type Alike struct {
	Kinds  []AlikeKind
	Others Count // ordinary numbers
	Asked  bool  // about every kind, to the end
	Alpha  float64
}

// AlikeKind has the numbers of one kind, each asked in a connection of its own.
type AlikeKind struct {
	Name  string
	Few   Count // asked several times each; lost each time
	Some  Count // asked once each, in a block that another one followed
	Block Count // asked once each, in the last block; none if all of the few arrived
}

// doubtful reports whether the kind may be lost as a whole.
func (k AlikeKind) doubtful() bool {
	n := k.Some.plus(k.Block)
	return k.Few.Lost > 0 && 2*n.Lost >= n.Sent
}

// P is the exact p-value that numbers of these kinds are lost more often than ordinary ones only by chance.
func (a Alike) P() float64 {
	var n Count
	for _, k := range a.Kinds {
		n = n.plus(k.Block)
	}
	return moreOftenP(n, a.Others)
}

// Lost reports whether numbers like 0 are lost too.
func (a Alike) Lost() bool { return a.Asked && a.P() <= a.Alpha }

// Arrive reports whether numbers of every kind were seen to arrive.
func (a Alike) Arrive() bool {
	if !a.Asked || a.Lost() {
		return false
	}
	return !slices.ContainsFunc(a.Kinds, AlikeKind.doubtful)
}

// String says which are lost and which arrive.
func (a Alike) String() string {
	var lost, arrived []string
	for _, k := range a.Kinds {
		if n := k.Some.plus(k.Block); n.Lost > 0 && !a.Arrive() {
			lost = append(lost, fmt.Sprintf("%s (%d of %d)", k.Name, n.Lost, n.Sent))
		} else {
			arrived = append(arrived, k.Name)
		}
	}
	switch {
	case a.Arrive():
		return "; numbers like 0 arrive: " + strings.Join(arrived, ", ")
	case !a.Lost():
		return "; whether numbers like 0 are lost too is not known"
	}
	text := fmt.Sprintf("; and so is the same at %s, among %d at ordinary numbers (%d lost), p = %.1e",
		strings.Join(lost, ", "), a.Others.Sent, a.Others.Lost, a.P())
	if len(arrived) > 0 {
		text += "; it arrives at " + strings.Join(arrived, ", ")
	}
	return text
}
