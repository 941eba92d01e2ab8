//go:build net

package lab

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// The eBPF program chooses the same member for a flow as the Go code, every time. The two directions of a flow may have
// different members.
func TestKernelChoosesTheMemberOfAFlow(t *testing.T) {
	l := newLab(t, Options{})
	for _, family := range Families {
		for _, d := range []fault.Direction{fault.In, fault.Out} {
			for _, seed := range []int{0, 7} {
				name := fmt.Sprintf("ecmp=16/3/%d:push-at-zero@%s", seed, d)
				t.Run(fmt.Sprint(family, "/", name), func(t *testing.T) { checkMembers(t, l, family, d, name) })
			}
		}
	}
}

// checkMembers sends two segments of each of many flows and compares the ones that arrive with those that the fault
// should pass.
func checkMembers(t *testing.T, l *Lab, family Family, d fault.Direction, name string) {
	t.Helper()
	const flows = 512
	f := parsed(t, name)[0]
	j := inject(t, l, name)
	c := newCable(t, l, family, d)
	sent := func(i int) segment.Segment {
		s := flow(family, i%flows)
		if d == fault.Out {
			s.Source, s.Destination = s.Destination, s.Source
		}
		return *s
	}
	var want []int
	for i := range 2 * flows {
		if s := sent(i); !f.Drops(&s, d) {
			want = append(want, i)
		}
	}
	if got := c.through(2*flows, sent); !slices.Equal(got, want) {
		t.Errorf("%d of %d segments came through, want %d or not those", len(got), 2*flows, len(want))
	}
	if lost := 2*flows - len(want); lost < flows/8 || lost > flows*5/8 { // three eighths of the flows
		t.Errorf("%d of %d segments meet a broken member", lost, 2*flows)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// With spraying, each packet of a flow may meet a broken member, independently of the others.
func TestSprayedPacketsMeetABrokenMemberByChance(t *testing.T) {
	// 1,250 losses with a standard deviation of 31, in 937 bursts.
	expectIndependentLoss(t, "spray=4/1:everything@in", 1250, 250, 700)
}
