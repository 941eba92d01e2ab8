package sequencewrap

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn/conntest"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow/flowtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// ask runs one flow of a variant against a scripted peer.
func ask(t *testing.T, name string, b *conntest.Bench) flow.Outcome {
	t.Helper()
	return flowtest.Run(t, Definition, name, plan.Scenario{}, b)
}

// Every variant has a flow, and its flags equal those of package segment.
func TestVariantsHaveFlows(t *testing.T) {
	needed := variant.Names(func(v variant.Variant) bool {
		return v.Where == variant.Connection || v.Where == variant.Opening || v.Where == variant.FromPeer
	})
	if got := slices.Sorted(maps.Keys(own)); !slices.Equal(got, slices.Sorted(slices.Values(needed))) {
		t.Errorf("flows of their own have %v, want %v", got, needed)
	}
	if flowOf("Nil") != nil {
		t.Error("a flow of no variant")
	}
	for name, want := range map[string]bool{"Nil": false, "Fin": false, "Syn": false, "Push": true} {
		if pool := poolOf(name) != nil; pool != want {
			t.Errorf("%s has a pool: %v", name, pool)
		}
	}
	for mine, of := range map[variant.Flags]segment.Flags{
		variant.FIN: segment.FIN, variant.SYN: segment.SYN, variant.RST: segment.RST,
		variant.PSH: segment.PSH, variant.ACK: segment.ACK, variant.URG: segment.URG,
	} {
		if segment.Flags(mine) != of {
			t.Errorf("%v is not %v", segment.Flags(mine), of)
		}
	}
}

// sentHere are the variants whose suspect this side sends. TestPeersSegmentAtZero has the other.
var sentHere = variant.Names(func(v variant.Variant) bool { return v.Where != variant.FromPeer })

// Every variant passes on a healthy path, and fails where exactly its suspect is dropped.
func TestEveryVariantWithAndWithoutItsRule(t *testing.T) {
	for _, v := range sentHere {
		t.Run(v, func(t *testing.T) {
			expect(t, v, &conntest.Bench{Peer: &conntest.Listener{}}, report.Delivered)
			want := report.SequenceZeroDropped
			switch v {
			case "HandshakeAck":
				want = report.HandshakeAckLost
			case "AckZero":
				want = report.AckZeroDropped
			}
			expect(t, v, &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(suspectOf(v))}, want)
		})
	}
}

// expect runs one flow and compares its reason. The peer must hold no connection afterwards.
func expect(t *testing.T, name string, b *conntest.Bench, want report.Reason) {
	t.Helper()
	o := ask(t, name, b)
	if o.Reason != want {
		t.Errorf("%s: %s / %s, want %s\n%s\n%s", name, o.Verdict, o.Reason, want, o.Message,
			o.Evidence)
	}
	if live := b.Peer.Live(); live != 0 || o.Remains != (flow.Remains{}) {
		t.Errorf("%s: the peer still holds %d connections, the outcome says %d\n%s", name, live, o.Remains,
			o.Evidence)
	}
}

// suspectOf returns a rule that drops exactly the variant's suspect on its way to the peer.
func suspectOf(name string) conntest.Drop {
	exact := map[string]segment.Flags{
		"Push":         segment.PSH | segment.ACK,
		"UrgentPush":   segment.URG | segment.PSH | segment.ACK,
		"Data":         segment.ACK,
		"Fin":          segment.FIN | segment.ACK,
		"PushFin":      segment.PSH | segment.FIN | segment.ACK,
		"Ack":          segment.ACK,
		"HandshakeAck": segment.ACK,
		"Reset":        segment.RST | segment.ACK,
		"Syn":          segment.SYN,
		"FinUrgPush":   segment.FIN | segment.URG | segment.PSH,
		"Null":         0,
	}
	return func(s *segment.Segment, toPeer bool) bool {
		switch name {
		case "Straddle":
			return toPeer && s.PayloadLen() > 0 && s.Seq.Uint32() > 1<<31 && s.End().Uint32() > 0 && s.End().Uint32() < 1<<31
		case "AckZero":
			return toPeer && s.Flags == segment.ACK && s.Ack.IsZero()
		}
		return toPeer && s.Seq.IsZero() && s.Flags == exact[name]
	}
}

// If a kind of segment is lost at every number, the result is not a finding about 0.
func TestLossAtEveryNumberIsNotBlamedOnZero(t *testing.T) {
	for name, drop := range map[string]conntest.Drop{
		"Fin":        flagged(segment.FIN),
		"PushFin":    flagged(segment.FIN),
		"UrgentPush": flagged(segment.URG),
		"Reset":      flagged(segment.RST),
		"FinUrgPush": flagged(segment.URG),
		"Null":       func(s *segment.Segment, toPeer bool) bool { return toPeer && s.Flags == 0 },
		"Ack": func(s *segment.Segment, toPeer bool) bool {
			return toPeer && s.Flags == segment.ACK && s.PayloadLen() == 0
		},
		"Syn": flagged(segment.SYN),
	} {
		t.Run(name, func(t *testing.T) {
			o := ask(t, name, &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(drop)})
			if o.Verdict != report.Inconclusive || o.Reason == report.PathLossy {
				t.Errorf("%s / %s: %s\n%s", o.Verdict, o.Reason, o.Message, o.Evidence)
			}
		})
	}
}

func flagged(f segment.Flags) conntest.Drop {
	return func(s *segment.Segment, toPeer bool) bool { return toPeer && s.Flags.Has(f) }
}

// If answers are lost because they acknowledge 0, the finding is about the reverse path.
func TestAnswersThatAcknowledgeZero(t *testing.T) {
	back := func(s *segment.Segment, toPeer bool) bool {
		return !toPeer && s.Flags.Has(segment.ACK) && s.Ack.IsZero()
	}
	expect(t, "Push", &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(back)}, report.AckZeroDropped)
	expect(t, "Push", &conntest.Bench{Peer: &conntest.Listener{NoDSACK: true}, Path: conntest.Dropping(back)},
		report.AckZeroDropped)
}

// If RSTs at 0 are lost, a closed port looks filtered to SYNs. ACKs with other numbers are answered and show the rule.
func TestResetsAtZeroLostOnTheWayBack(t *testing.T) {
	expect(t, "AckZero", &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(conntest.ReverseRSTAtZero)},
		report.ReverseRstZeroDropped)
	expect(t, "AckZero", &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(conntest.EverySYN)},
		report.PathDown)
}

// A device that drops all numbers from 0 on, or most FINs, has no rule about the number 0. Connections that cross 0
// tell the range.
func TestRangeOfNumbersIsNotBlamedOnZero(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many connections")
	}
	upFromZero := func(s *segment.Segment, toPeer bool) bool { return toPeer && s.Seq.Uint32() < 2_000_000_000 }
	mostFINs := func(s *segment.Segment, toPeer bool) bool {
		return toPeer && s.Flags.Has(segment.FIN) && rand.Float64() < 0.9
	}
	for _, drop := range []conntest.Drop{upFromZero, conntest.UpTo(1_000_000_000), mostFINs} {
		for _, v := range sentHere {
			for range 40 {
				o := ask(t, v, &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.Dropping(drop)})
				if o.Verdict == report.Fail && o.Reason != report.WrapDropped {
					t.Fatalf("%s: %s / %s: %s\n%s", v, o.Verdict, o.Reason, o.Message, o.Evidence)
				}
			}
		}
	}
}

// A firewall that rejects segments without a connection answers in the host's name. Its RST has another hop limit, so
// it does not count as delivery.
func TestRejectionByAFirewallIsNoDelivery(t *testing.T) {
	for _, v := range []string{"FinUrgPush", "Null", "AckZero"} {
		expect(t, v, &conntest.Bench{Peer: &rejected{Listener: &conntest.Listener{}}}, report.StateTracking)
	}
}

type rejected struct{ *conntest.Listener }

func (r *rejected) Receive(s *segment.Segment) []*segment.Segment {
	out := r.Listener.Receive(s)
	for _, a := range out {
		if a.HopLimit = 63; s.Flags != segment.SYN {
			a.HopLimit = 64
		}
	}
	return out
}

// slow is a one-way delay above the first timeout.
const slow = 75 * time.Millisecond

// A round-trip time of 150 ms does not change a result.
func TestVariantsOnALongPath(t *testing.T) {
	for _, v := range sentHere {
		expect(t, v, &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.DroppingWithDelay(slow, conntest.DropNone)},
			report.Delivered)
	}
	expect(t, "Syn", &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.DroppingWithDelay(slow, suspectOf("Syn"))},
		report.SequenceZeroDropped)
	expect(t, "Fin", &conntest.Bench{Peer: &conntest.Listener{}, Path: conntest.DroppingWithDelay(slow, suspectOf("Fin"))},
		report.SequenceZeroDropped)
}

// On a path that only loses, delays, reorders or duplicates, no variant fails. If the path also drops the suspect, no
// variant passes.
func TestEveryVariantOnImpairedPaths(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many connections")
	}
	const flows = 25
	r := rand.New(rand.NewPCG(7, 7))
	for name, lose := range map[string]func() conntest.Drop{
		"random 5 %":     func() conntest.Drop { return conntest.DropRandomly(r, 0.05) },
		"random 20 %":    func() conntest.Drop { return conntest.DropRandomly(r, 0.2) },
		"bursts, 5 %":    func() conntest.Drop { return conntest.DropInBursts(r, 0.05, 50*time.Millisecond) },
		"reordered 20 %": func() conntest.Drop { return conntest.DropNone },
	} {
		t.Run(name, func(t *testing.T) {
			late := 0
			if strings.HasPrefix(name, "reordered") {
				late = 20
			}
			for _, v := range sentHere {
				withoutRule, withRule := map[report.Reason]int{}, map[report.Reason]int{}
				for range flows {
					withoutRule[impaired(t, v, r, late, lose, conntest.DropNone).Reason]++
					withRule[impaired(t, v, r, late, lose, suspectOf(v)).Reason]++
				}
				blamed := withoutRule[report.SequenceZeroDropped] + withoutRule[report.AckZeroDropped] +
					withoutRule[report.ReverseRstZeroDropped]
				if blamed > 0 || withRule[report.Delivered] > 0 {
					t.Errorf("%s: %v without the rule, %v with it", v, withoutRule, withRule)
				}
				t.Log(v, withoutRule, withRule)
			}
		})
	}
}

func impaired(
	t *testing.T, name string, r *rand.Rand, late int, lose func() conntest.Drop, rule conntest.Drop,
) flow.Outcome {
	return ask(t, name, &conntest.Bench{Peer: &conntest.Listener{}, Path: func() conntest.Path {
		lost := lose()
		return func(s *segment.Segment, toPeer bool) []time.Duration {
			if rule(s, toPeer) || lost(s, toPeer) {
				return nil
			}
			if late > 0 && r.IntN(5) == 0 {
				return []time.Duration{conntest.Delay + time.Duration(r.IntN(late))*time.Millisecond, conntest.Delay}
			}
			return []time.Duration{conntest.Delay}
		}
	}})
}
