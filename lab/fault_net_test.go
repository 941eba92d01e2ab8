//go:build net

package lab

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

const (
	ack = segment.ACK
	psh = segment.PSH
	fin = segment.FIN
	urg = segment.URG
	rst = segment.RST
	syn = segment.SYN
)

// crafted are the segments that every rule is shown, each at sequence 0, at 1 and at the end of the number space.
var crafted = []segment.Flags{0, syn, ack, ack | psh, ack | fin, ack | urg, rst, ack | psh | fin, ack | urg | psh, fin | urg | psh, rst | urg}

// bites says, rule by rule and independently of the program, which segments must be lost.
var bites = map[string]func(zero bool, f segment.Flags) bool{
	"push-at-zero": func(zero bool, f segment.Flags) bool {
		return zero && slices.Contains([]segment.Flags{ack | psh, ack | psh | fin, ack | urg | psh, fin | urg | psh}, f)
	},
	"fin-urg-push-at-zero": func(zero bool, f segment.Flags) bool {
		return zero && !slices.Contains([]segment.Flags{0, syn, ack, rst}, f)
	},
	"fin-push-rst-at-zero": func(zero bool, f segment.Flags) bool {
		return zero && !slices.Contains([]segment.Flags{0, syn, ack, ack | urg}, f)
	},
	"fin-urg-push-together-at-zero": func(zero bool, f segment.Flags) bool { return zero && f == fin|urg|psh },
	"every-push":                    func(_ bool, f segment.Flags) bool { return f.Has(psh) },
	"everything":                    func(bool, segment.Flags) bool { return true },
	"loss=100%":                     func(bool, segment.Flags) bool { return true },
}

func TestRulesDropExactlyWhatTheySay(t *testing.T) {
	l := newLab(t, Options{})
	for _, family := range Families {
		for _, direction := range []Direction{In, Out} {
			c := newCable(t, l, family, direction)
			if got := c.sendAll(); len(got) != 3*len(crafted) {
				t.Fatalf("%s %s: without a fault %d of %d segments came through", family, direction, len(got), 3*len(crafted))
			}
			for mode, by := range map[string]attacher{"tcx": attachTCX, "clsact": attachClsact} {
				for name, bite := range bites {
					t.Run(fmt.Sprint(family, "/", direction, "/", mode, "/", name), func(t *testing.T) {
						c.t = t
						checkRule(t, l, c, name, direction, by, bite)
					})
				}
			}
		}
	}
}

// checkRule attaches the rule in the cable's direction, where it must bite, and in the other, where it must not.
func checkRule(t *testing.T, l *Lab, c *cable, name string, d Direction, by attacher, bite func(bool, segment.Flags) bool) {
	other := map[Direction]Direction{In: Out, Out: In}[d]
	for _, side := range []Direction{d, other} {
		f, err := ParseFault(name + "@" + string(side))
		if err != nil {
			t.Fatal(err)
		}
		a, err := attachFault(l.Switch().Path(), ClientPort, f, by)
		if err != nil {
			t.Fatal(err)
		}
		var want []int
		for i := range 3 * len(crafted) {
			if side == other || !bite(i%3 == 0, crafted[i/3]) {
				want = append(want, i)
			}
		}
		if got := c.sendAll(); !slices.Equal(got, want) {
			t.Errorf("@%s: came through %v, want %v", side, got, want)
		}
		counters, err := a.Counters()
		if err != nil {
			t.Error(err)
		}
		count := map[Direction]Count{In: counters.In, Out: counters.Out}[d]
		wantCount := Count{Seen: uint64(3 * len(crafted)), Dropped: uint64(3*len(crafted) - len(want))}
		if side == other {
			wantCount = Count{}
		}
		if !counted(count, wantCount) {
			t.Errorf("@%s: counted %+v, want %+v", side, count, wantCount)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// background bounds the packets that a kernel sends without being asked, such as multicast reports.
const background = 20

// counted allows for packets that the hosts' kernels sent besides. What they answer to the segments
// crosses the port in the other direction.
func counted(got, want Count) bool {
	return got.Seen-want.Seen <= background && got.Dropped-want.Dropped <= background
}

// sendAll sends every crafted segment at three sequence numbers, the first of them 0.
func (c *cable) sendAll() []int {
	for i := range 3 * len(crafted) {
		c.send(i, []uint32{0, 1, 1<<32 - 1}[i%3], crafted[i/3])
	}
	return c.received()
}

func TestLossIsAShareOfPackets(t *testing.T) {
	l := newLab(t, Options{})
	for _, family := range Families {
		t.Run(string(family), func(t *testing.T) {
			lost := runOf(t, l, family, "loss=20%@in", 5000)
			n := 0
			for _, is := range lost {
				if is {
					n++
				}
			}
			if n < 800 || n > 1200 { // 1000, standard deviation 28
				t.Errorf("%d of 5000 lost, want about 1000", n)
			}
			if r := bursts(lost); r < 600 { // 800 for independent losses
				t.Errorf("%d lost segments in %d bursts: not independent", n, r)
			}
		})
	}
}

func TestBurstsAreAShareOfTime(t *testing.T) {
	l := newLab(t, Options{})
	const n = 30000
	lost := runOf(t, l, IPv4, "burst=50%/5ms@in", n)
	// Each segment by itself would make a quarter of n; bursts as long as hundreds of segments make few.
	if r := bursts(lost); r < 3 || r > n/40 {
		t.Errorf("%d bursts in %d segments", r, n)
	}
}

// runOf sends n harmless segments through a fault and says of each whether it was lost.
func runOf(t *testing.T, l *Lab, family Family, fault string, n int) []bool {
	t.Helper()
	j := inject(t, l, fault)
	c := newCable(t, l, family, In)
	for i := range n {
		c.send(i, 1, ack)
	}
	lost := slices.Repeat([]bool{true}, n)
	got := c.received()
	for _, i := range got {
		lost[i] = false
	}
	counters, err := j.Counters()
	if err != nil {
		t.Fatal(err)
	}
	if want := (Count{Seen: uint64(n), Dropped: uint64(n - len(got))}); !counted(counters[0].In, want) {
		t.Errorf("%s: counted %+v, want %+v", fault, counters[0].In, want)
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

// inject turns faults on until the test ends.
func inject(t *testing.T, l *Lab, texts ...string) *Injection {
	t.Helper()
	faults, err := ParseFaults(texts)
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
