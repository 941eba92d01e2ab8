//go:build net

package lab

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/lab/fault/faulttest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

func TestRulesDropExactlyWhatTheySay(t *testing.T) {
	l := newLab(t, Options{})
	for _, family := range Families {
		for _, direction := range []fault.Direction{fault.In, fault.Out} {
			c := newCable(t, l, family, direction)
			if got := c.sendAll(); len(got) != len(faulttest.Segments) {
				t.Fatalf("%s %s: without a fault %d of %d segments came through", family, direction, len(got),
					len(faulttest.Segments))
			}
			for mode, by := range map[string]attacher{"tcx": attachTCX, "clsact": attachClsact} {
				for name, drops := range faulttest.Drops {
					t.Run(fmt.Sprint(family, "/", direction, "/", mode, "/", name), func(t *testing.T) {
						c.t = t
						checkRule(t, l, c, name, direction, by, drops)
					})
				}
			}
		}
	}
}

// checkRule attaches the rule in the cable's direction, where it must drop segments, and in the other one, where it
// must drop none.
func checkRule(t *testing.T, l *Lab, c *cable, name string, d fault.Direction, by attacher,
	drops func(segment.Segment) bool) {
	t.Helper()
	other := map[fault.Direction]fault.Direction{fault.In: fault.Out, fault.Out: fault.In}[d]
	var all, through []int
	for i, s := range faulttest.Segments {
		all = append(all, i)
		if !drops(s) {
			through = append(through, i)
		}
	}
	dropped := len(all) - len(through)
	for side, want := range map[fault.Direction]struct {
		through []int
		count   Count
	}{d: {through, Count{Seen: uint64(len(all)), Dropped: uint64(dropped)}}, other: {all, Count{}}} {
		f, err := fault.Parse(name + "@" + string(side))
		if err != nil {
			t.Fatal(err)
		}
		a, err := attachFault(l.Switch().Path(), ClientPort, f, by)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.sendAll(); !slices.Equal(got, want.through) {
			t.Errorf("@%s: came through %v, want %v", side, got, want.through)
		}
		counters, err := a.Counters()
		if err != nil {
			t.Error(err)
		}
		count := map[fault.Direction]Count{fault.In: counters.In, fault.Out: counters.Out}[d]
		if !counted(count, want.count) {
			t.Errorf("@%s: counted %+v, want %+v", side, count, want.count)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// background is the most packets that the kernels send by themselves during a test, such as multicast reports.
const background = 20

// counted compares counters, and allows for packets that the hosts' kernels sent. Their answers to the segments cross
// the port in the other direction.
func counted(got, want Count) bool {
	return got.Seen-want.Seen <= background && got.Dropped-want.Dropped <= background
}

// sendAll sends every segment of faulttest.
func (c *cable) sendAll() []int {
	return c.through(len(faulttest.Segments), func(i int) segment.Segment { return faulttest.Segments[i] })
}

// ordinary is a segment that no rule about flags or numbers drops.
var ordinary = segment.Segment{Flags: ack, Seq: seq.At(1), Ack: seq.At(1), WindowScale: -1}

func TestLossIsAShareOfPackets(t *testing.T) {
	// 1,000 losses with a standard deviation of 28, in 800 bursts.
	expectIndependentLoss(t, "loss=20%@in", 1000, 200, 600)
}

// expectIndependentLoss sends 5,000 segments of each family through a fault. It compares the number of lost ones with
// the expected one. Independent losses are in many bursts: there must be at least minBursts.
func expectIndependentLoss(t *testing.T, name string, want, tolerance, minBursts int) {
	t.Helper()
	l := newLab(t, Options{})
	for _, family := range Families {
		t.Run(string(family), func(t *testing.T) {
			lost := runOf(t, l, family, name, 5000)
			n := 0
			for _, is := range lost {
				if is {
					n++
				}
			}
			if n < want-tolerance || n > want+tolerance {
				t.Errorf("%d of 5000 lost, want about %d", n, want)
			}
			if r := bursts(lost); r < minBursts {
				t.Errorf("%d lost segments in %d bursts: not independent", n, r)
			}
		})
	}
}

func TestBurstsAreAShareOfTime(t *testing.T) {
	l := newLab(t, Options{})
	const n = 30000
	lost := runOf(t, l, IPv4, "burst=50%/5ms@in", n)
	// Independent losses would have n/4 bursts. Bursts of hundreds of segments are far fewer.
	if r := bursts(lost); r < 3 || r > n/40 {
		t.Errorf("%d bursts in %d segments", r, n)
	}
}

// runOf sends n ordinary segments through a fault and returns for each whether it was lost.
func runOf(t *testing.T, l *Lab, family Family, name string, n int) []bool {
	t.Helper()
	j := inject(t, l, name)
	c := newCable(t, l, family, fault.In)
	lost := slices.Repeat([]bool{true}, n)
	got := c.through(n, func(int) segment.Segment { return ordinary })
	for _, i := range got {
		lost[i] = false
	}
	counters, err := j.Counters()
	if err != nil {
		t.Fatal(err)
	}
	if want := (Count{Seen: uint64(n), Dropped: uint64(n - len(got))}); !counted(counters[0].In, want) {
		t.Errorf("%s: counted %+v, want %+v", name, counters[0].In, want)
	}
	return lost
}

func bursts(lost []bool) (n int) {
	for i, is := range lost {
		if is && (i == 0 || !lost[i-1]) {
			n++
		}
	}
	return n
}

// inject activates faults until the test ends.
func inject(t *testing.T, l *Lab, texts ...string) *Injection {
	t.Helper()
	faults, err := fault.ParseAll(texts)
	if err != nil {
		t.Fatal(err)
	}
	j, err := l.Inject(faults...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}
