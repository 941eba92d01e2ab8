package sequencewrap

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// brokenWraps are devices that break at the wrap, each with what is said of it, by variant.
var brokenWraps = map[string]struct {
	device func() conntest.Drop
	reason report.Reason // of Push
	across report.Reason // of Straddle
	leaks  int           // of a flow of Push: what no segment can end
}{
	"up to 1,000,000,000": {func() conntest.Drop { return conntest.UpTo(1_000_000_000) },
		report.WrapDropped, report.Delivered, 0},
	"up to 65,535": {func() conntest.Drop { return conntest.UpTo(65535) }, report.WrapDropped, report.Delivered, 0},
	"up to 1,000":  {func() conntest.Drop { return conntest.UpTo(1000) }, report.WrapDropped, report.Delivered, 0},
	"starts after the wrap": {func() conntest.Drop { return conntest.AfterWrap(false) },
		report.WrapDropped, report.Delivered, 0},
	"bytes after the wrap": {func() conntest.Drop { return conntest.AfterWrap(true) },
		report.WrapDropped, report.WrapDropped, 1},
	"ends at the wrap": {func() conntest.Drop { return conntest.EndsOverflow },
		report.WrapEndDropped, report.WrapEndDropped, 0},
	"window ends at the wrap": {conntest.WindowEndsAtWrap, report.Delivered, report.WrapWindowDropped, 0},
}

// A wrap that breaks is a finding of its own, and its connections are ended where a segment can do that.
func TestWrapThatBreaks(t *testing.T) {
	for name, c := range brokenWraps {
		t.Run(name, func(t *testing.T) {
			for variant, want := range map[string]report.Reason{"Push": c.reason, "Data": c.reason, "Straddle": c.across,
				"UrgentPush": c.reason, "Fin": c.reason, "PushFin": c.reason} {
				peer := &conntest.Listener{ClosesAtEOF: true}
				o := ask(t, variant, &conntest.Bench{Peer: peer, Path: func() conntest.Path {
					return conntest.Dropping(c.device())()
				}})
				if o.Reason != want {
					t.Errorf("%s: %s / %s, want %s: %s\n%s", variant, o.Verdict, o.Reason, want, o.Message, o.Evidence)
				}
				if n := peer.Live(); n != o.Remains.Left+o.Remains.Unknown || n > c.leaks {
					t.Errorf("%s: the peer holds %d connections, %d said", variant, n, o.Remains)
				}
				t.Log(variant, o.Message)
			}
		})
	}
}

// wrapReasons are those that blame the wrap.
var wrapReasons = map[report.Reason]bool{report.WrapDropped: true, report.WrapEndDropped: true,
	report.WrapWindowDropped: true}

// Where segments are lost by chance, by their length, at the number 0 alone, at other numbers than 0, or late, the wrap
// is not blamed.
func TestWrapLookAlikes(t *testing.T) {
	r := rand.New(rand.NewPCG(61, 1))
	within := func(from, to uint32) conntest.Drop {
		return func(s *segment.Segment, toPeer bool) bool {
			return toPeer && !s.Flags.Has(segment.SYN) && from <= s.Seq.Uint32() && s.Seq.Uint32() <= to
		}
	}
	for name, drop := range map[string]conntest.Drop{
		"nothing":          conntest.DropNone,
		"random 20 %":      conntest.DropRandomly(r, 0.2),
		"number 0":         within(0, 0),
		"1,000 to 100,000": within(1000, 100_000),
		"above 2^31":       within(1<<31, 1<<32-1000),
		"short ones":       func(s *segment.Segment, toPeer bool) bool { return toPeer && short(s) },
		"short ones at 0":  func(s *segment.Segment, toPeer bool) bool { return toPeer && s.Seq.IsZero() && short(s) },
		"all data":         func(s *segment.Segment, toPeer bool) bool { return toPeer && s.PayloadLen() > 0 },
		"number 0, random": func(s *segment.Segment, toPeer bool) bool {
			return within(0, 0)(s, toPeer) || r.Float64() < 0.2
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variant := range []string{"Push", "Fin", "Straddle"} {
				got := map[report.Reason]int{}
				for range 20 {
					o := ask(t, variant, &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(drop)})
					if got[o.Reason]++; wrapReasons[o.Reason] {
						t.Errorf("%s: %s\n%s", variant, o.Message, o.Evidence)
					}
				}
				t.Log(variant, got)
			}
		})
	}
}

func short(s *segment.Segment) bool { return s.PayloadLen() > 0 && s.PayloadLen() < 50 }

// What is only late beyond the wrap is not lost there.
func TestLateBeyondTheWrap(t *testing.T) {
	beyond := conntest.UpTo(1 << 30)
	for _, ms := range []int{300, 1000, 3000} {
		for _, variant := range []string{"Push", "Straddle"} {
			o := ask(t, variant, &conntest.Bench{Peer: &conntest.Listener{},
				Path: delayed(beyond, milliseconds(ms), conntest.DropNone)})
			if wrapReasons[o.Reason] {
				t.Errorf("%d ms, %s: %s", ms, variant, o.Message)
			}
		}
	}
}

// Loss of other segments does not hide a wrap that breaks, and does not make it another fault.
func TestWrapThatBreaksUnderLoss(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many connections")
	}
	for name, c := range brokenWraps {
		t.Run(name, func(t *testing.T) {
			for variant, want := range map[string]report.Reason{"Push": c.reason, "Straddle": c.across} {
				got := map[report.Reason]int{}
				for i := range 25 {
					r := rand.New(rand.NewPCG(62, uint64(i)))
					lost, device := conntest.DropRandomly(r, 0.05), c.device()
					o := ask(t, variant, &conntest.Bench{Peer: &conntest.Listener{ClosesAtEOF: true},
						Path: conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
							return lost(s, toPeer) || device(s, toPeer)
						})})
					if got[o.Reason]++; o.Verdict == report.Fail && o.Reason != want {
						t.Errorf("%s: %s, want %s: %s", variant, o.Reason, want, o.Message)
					}
				}
				if t.Log(variant, got); got[want] < 20 {
					t.Errorf("%s: %v", variant, got)
				}
			}
		})
	}
}

// A device that drops a range of numbers in both directions drops the answers of a peer whose own numbers lie there.
// The connections that ask are tried again, and the peer draws other numbers.
func TestWrapThatBreaksBothWays(t *testing.T) {
	for _, odd := range []uint32{0, 1} {
		device := conntest.UpTo(1_000_000_000)
		o := ask(t, "Push", &conntest.Bench{Peer: &conntest.Listener{ClosesAtEOF: true},
			Path: conntest.Dropping(func(s *segment.Segment, toPeer bool) bool {
				of := s.Seq.Uint32() >> 20 & 1 // changes with each connection
				return device(s, toPeer) || !toPeer && !s.Flags.Has(segment.SYN) && of == odd
			})})
		if o.Reason != report.WrapDropped {
			t.Errorf("answers of every other connection are lost (%d): %s / %s: %s", odd, o.Verdict, o.Reason, o.Message)
		}
	}
}

// A healthy path gets no segment more than the suspect's own connection needs.
func TestWrapCostsNothingOnAHealthyPath(t *testing.T) {
	for _, variant := range []string{"Push", "Straddle", "Fin"} {
		b := &conntest.Bench{Peer: &conntest.Listener{}}
		ask(t, variant, b)
		if n := len(b.Wire.Sent()); n > 5 {
			t.Errorf("%s: %d segments", variant, n)
		}
	}
}

// Several flows of a check ask about the wrap once.
func TestFlowsAskAboutTheWrapOnce(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{ClosesAtEOF: true},
		Path: conntest.Dropping(conntest.UpTo(1_000_000_000))}
	flows := check(t, "Push", 6, 500, 1e-3, b)
	syns := 0
	for _, s := range b.Wire.Sent() {
		if s.Flags == segment.SYN {
			syns++
		}
	}
	for _, o := range flows {
		if o.Reason != report.WrapDropped || o.Remains != (flow.Remains{}) {
			t.Errorf("%s, %d leaked: %s", o.Reason, o.Remains, o.Message)
		}
	}
	if syns > len(flows)+8 {
		t.Errorf("%d connections", syns)
	}
}

// Where other connections have shown that old bytes get no answer, and what is beyond is lost, old bytes of the
// connection itself prove life.
func TestWrapThatBreaksWhereOldBytesSeemDropped(t *testing.T) {
	b := &conntest.Bench{Peer: &conntest.Listener{ClosesAtEOF: true}, Path: func() conntest.Path {
		return conntest.Dropping(conntest.AfterWrap(false))()
	}}
	b.Run(t, func(t *testing.T, ctx context.Context) {
		c, err := b.Stack.Open(ctx, conntest.Remote, ordinary())
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			c.NoteSign(true)
		}
		known := c.OldBytesDropped()
		if _, err := c.End(ctx); err != nil {
			t.Fatal(err)
		}
		if o := Definition.Flow("Push")(ctx, flowtest.Env(b)); !known || o.Reason != report.WrapDropped {
			t.Errorf("known %t: %s / %s: %s", known, o.Verdict, o.Reason, o.Message)
		}
	})
}
