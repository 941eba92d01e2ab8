package sequencewrap

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// numbers are sets that contain 0.
var numbers = map[string]struct {
	has  func(uint32) bool
	says string
}{
	"multiples of 256":   {func(n uint32) bool { return n&0xff == 0 }, "multiples of 256 ("},
	"multiples of 4096":  {func(n uint32) bool { return n&0xfff == 0 }, "multiples of 65536 ("},
	"multiples of 65536": {func(n uint32) bool { return n&0xffff == 0 }, "multiples of 65536 ("},
	"multiples of 2^20":  {func(n uint32) bool { return n&0xfffff == 0 }, "multiples of 2^24 ("},
	"multiples of 2^24":  {func(n uint32) bool { return n&0xffffff == 0 }, "multiples of 2^24 ("},
	"multiples of 2^30":  {func(n uint32) bool { return n&0x3fffffff == 0 }, "2^31 ("},
	"0 and 1":            {func(n uint32) bool { return n <= 1 }, "at 1 ("},
	"up to 50":           {func(n uint32) bool { return n <= 50 }, "2 to 50 ("},
	"up to 999":          {func(n uint32) bool { return n <= 999 }, "51 to 999 ("},
}

// dropsAt drops what a variant tests, at numbers of a set. It names the same number as a drop at 0 does.
func dropsAt(variant string, has func(uint32) bool) conntest.Drop {
	lost := suspectOf(variant)
	return func(s *segment.Segment, toPeer bool) bool {
		moved := *s
		switch {
		case variant == "AckZero" && s.Flags.Has(segment.ACK) && has(s.Ack.Uint32()):
			moved.Ack = seq.At(0)
		case variant == "Straddle" && s.PayloadLen() > 1:
			for n := 1; n < s.PayloadLen(); n++ {
				if has(s.Seq.Add(n).Uint32()) {
					moved.Seq = seq.At(0).Add(-n)
					break
				}
			}
		case has(s.Seq.Uint32()):
			moved.Seq = seq.At(0)
		}
		return lost(&moved, toPeer)
	}
}

// A device that drops at numbers like 0 too is not said to drop at 0 alone, whatever it drops there.
func TestNumbersLikeZeroAreLostToo(t *testing.T) {
	for name, n := range numbers {
		variants := []string{"Push", "UrgentPush", "Data", "Fin", "PushFin"}
		if name == "up to 999" { // data after 0 is lost as well, so the wrap is blamed
			variants = []string{"Fin", "PushFin"}
		}
		for _, variant := range variants {
			t.Run(name+"/"+variant, func(t *testing.T) {
				expectAlike(t, variant, n.has, n.says)
			})
		}
	}
	multiples := numbers["multiples of 65536"]
	for _, variant := range []string{"Straddle", "Ack", "Reset", "Syn", "FinUrgPush", "Null", "AckZero"} {
		t.Run("multiples of 65536/"+variant, func(t *testing.T) { expectAlike(t, variant, multiples.has, multiples.says) })
	}
	for _, variant := range []string{"Ack", "Reset", "Syn", "FinUrgPush", "Null", "AckZero"} {
		t.Run("up to 50/"+variant, func(t *testing.T) { expectAlike(t, variant, numbers["up to 50"].has, "2 to 50 (") })
	}
}

// A peer may take less in a segment than the control before a small number has.
func TestNumbersLikeZeroKeepToTheMSS(t *testing.T) {
	const mss = 536
	has := numbers["up to 50"].has
	for lost, drop := range map[string]conntest.Drop{
		"segments": dropsAt("Data", has),
		"answers": func(s *segment.Segment, toPeer bool) bool {
			return !toPeer && s.Flags.Has(segment.ACK) && has(s.Ack.Uint32())
		},
	} {
		longest := 0
		o := ask(t, "Data", &conntest.Bench{Peer: &conntest.Listener{},
			Path: conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
				if toPeer {
					longest = max(longest, s.PayloadLen())
				} else if s.Flags.Has(segment.SYN) {
					s.MSS = mss
				}
				return drop(s, toPeer)
			})})
		if longest > mss || o.Verdict == report.Pass {
			t.Errorf("%s: %s, %d bytes in a segment: %s", lost, o.Reason, longest, o.Message)
		}
	}
}

// Where the answers that acknowledge the numbers after 0 are lost too, each connection tells less, and a small error
// takes many of them.
func TestSmallNumbersLostOnTheWayBack(t *testing.T) {
	has := numbers["up to 50"].has
	for range 10 {
		b := &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
			return !toPeer && s.Flags.Has(segment.ACK) && has(s.Ack.Uint32())
		})}
		b.Run(t, func(_ *testing.T, ctx context.Context) {
			e := flowtest.Env(b)
			e.Alpha = 1e-10
			if o := Definition.Flow("Push")(ctx, e); o.Reason != report.NumbersAlikeDropped {
				t.Errorf("%s: %s", o.Reason, o.Message)
			}
		})
	}
}

// The connections that ask are ended although the RST at such a number is lost too, or each acknowledgement of one.
func TestNumbersLikeZeroOfAnyFlags(t *testing.T) {
	// Of these no other segment of a connection has one by chance.
	for _, name := range []string{"multiples of 2^20", "multiples of 2^24", "multiples of 2^30"} {
		n := numbers[name]
		for lost, drop := range map[string]conntest.Drop{
			"segments": func(s *segment.Segment, toPeer bool) bool { return toPeer && n.has(s.Seq.Uint32()) },
			"answers": func(s *segment.Segment, toPeer bool) bool {
				return !toPeer && s.Flags.Has(segment.ACK) && n.has(s.Ack.Uint32())
			},
		} {
			t.Run(name+"/"+lost, func(t *testing.T) {
				peer := &conntest.Listener{}
				o := ask(t, "Push", &conntest.Bench{Peer: peer, Path: conntest.Dropping(drop)})
				if o.Reason != report.NumbersAlikeDropped || peer.Live() != 0 || o.Remains != (flow.Remains{}) {
					t.Errorf("%s / %s, %d held, %d leaked: %s", o.Verdict, o.Reason, peer.Live(), o.Remains, o.Message)
				}
			})
		}
	}
}

func expectAlike(t *testing.T, variant string, has func(uint32) bool, says string) {
	t.Helper()
	peer := &conntest.Listener{}
	o := ask(t, variant, &conntest.Bench{Peer: peer, Path: conntest.Dropping(dropsAt(variant, has))})
	if o.Reason != report.NumbersAlikeDropped || o.OnlyZero || !strings.Contains(o.Message, says) {
		t.Errorf("%s / %s, want %q: %s\n%s", o.Verdict, o.Reason, says, o.Message, o.Evidence)
	}
	if peer.Live() != o.Remains.Left+o.Remains.Unknown {
		t.Errorf("the peer holds %d connections, %d said", peer.Live(), o.Remains)
	}
	t.Log(o.Message)
}

// A device that drops at 0 alone is said to, and that numbers like 0 arrive, also where others are lost by chance.
func TestOnlyZeroIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many connections")
	}
	for _, loss := range []float64{0, 0.05, 0.2} {
		for _, variant := range sentHere {
			if variant == "HandshakeAck" {
				continue // its loss is never a Fail
			}
			t.Run(fmt.Sprintf("%s, %g", variant, loss), func(t *testing.T) { onlyZeroIsLost(t, variant, loss) })
		}
	}
}

func onlyZeroIsLost(t *testing.T, variant string, loss float64) {
	drop, got, alone := suspectOf(variant), map[report.Reason]int{}, 0
	const runs = 20
	for i := range runs {
		r := rand.New(rand.NewPCG(71, uint64(i)))
		o := ask(t, variant, &conntest.Bench{Peer: &conntest.Listener{},
			Path: conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
				return drop(s, toPeer) || r.Float64() < loss
			})})
		if got[o.Reason]++; o.OnlyZero {
			alone++
		}
		if o.Reason == report.NumbersAlikeDropped || loss == 0 && !o.OnlyZero {
			t.Errorf("%s: %s\n%s", o.Reason, o.Message, o.Evidence)
		}
	}
	t.Log(got, alone)
	if convicted := got[report.SequenceZeroDropped] + got[report.AckZeroDropped]; 20*alone < 17*convicted {
		t.Errorf("numbers like 0 arrived in %d of %d", alone, convicted)
	}
}
