package lab

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// Fault is one way in which a port of the switch misbehaves. Exactly one of Rule and Impairment is set.
type Fault struct {
	Name       string // as ParseFault read it
	Direction  Direction
	Rule       *Rule
	Impairment *Impairment
}

// Direction is seen from the switch.
type Direction string

const (
	Both Direction = "both"
	In   Direction = "in"  // packets that enter the switch by the port
	Out  Direction = "out" // packets that leave the switch by the port
)

func (d Direction) has(one Direction) bool { return d == Both || d == one }

// Rule is what the switch drops. The zero values of AtZero, Any and All do not restrict, and a rule without any of the
// three matches every IPv4 and IPv6 packet except neighbour discovery.
type Rule struct {
	AtZero bool          // segments whose sequence number is 0
	Any    segment.Flags // segments with at least one of these flags
	All    segment.Flags // segments with all of these flags
	Share  float64       // of the matching packets, in (0, 1]; with Burst of the time
	Burst  time.Duration // mean length of the times in which every match is dropped; 0: each packet by itself
}

// aboutSegments reports whether the rule looks into the TCP header.
func (r Rule) aboutSegments() bool { return r.AtZero || r.Any != 0 || r.All != 0 }

// Impairment is what the switch does to the packets that it forwards.
type Impairment struct {
	Delay     time.Duration // of every packet
	Jitter    time.Duration // at most this much more, without changing the order
	Reorder   float64       // share of packets that later ones overtake
	Gap       time.Duration // how long such a packet is held back
	Duplicate float64       // share of packets that arrive twice
}

// DropsPushAtZero reports whether the switch loses every segment with PSH at sequence 0 on its way in, and
// keeps at least some of the others: a probe must say so, and must not say so of any other fault.
func (f Fault) DropsPushAtZero() bool {
	r := f.Rule
	return r != nil && f.Direction.has(In) && r.AtZero && r.Share == 1 && (r.Any.Has(segment.PSH) || r.All == segment.PSH)
}

// rules are the faults without a parameter.
var rules = map[string]Rule{
	"push-at-zero":                  {AtZero: true, All: segment.PSH, Share: 1},
	"fin-urg-push-at-zero":          {AtZero: true, Any: segment.FIN | segment.URG | segment.PSH, Share: 1},
	"fin-push-rst-at-zero":          {AtZero: true, Any: segment.FIN | segment.PSH | segment.RST, Share: 1},
	"fin-urg-push-together-at-zero": {AtZero: true, All: segment.FIN | segment.URG | segment.PSH, Share: 1},
	"every-push":                    {All: segment.PSH, Share: 1},
	"everything":                    {Share: 1},
}

// Help lists the faults for people, one line each: how it is written and what it does.
func Help() []string {
	return []string{
		"push-at-zero                   drops segments with PSH at sequence 0",
		"fin-urg-push-at-zero           drops segments with any of FIN, URG, PSH at sequence 0",
		"fin-push-rst-at-zero           drops segments with any of FIN, PSH, RST at sequence 0",
		"fin-urg-push-together-at-zero  drops segments with all of FIN, URG, PSH at sequence 0: no natural segment",
		"every-push                     drops segments with PSH at any sequence number",
		"everything                     drops every packet",
		"loss=5%                        drops each packet with this probability",
		"burst=5%/50ms                  drops everything 5 % of the time, in bursts of 50 ms on average",
		"delay=20ms[/5ms]               delays packets by 20 ms, and by up to 5 ms more",
		"reorder=10%[/2ms]              holds 10 % of the packets back by 2 ms, so that later ones overtake",
		"duplicate=1%                   delivers 1 % of the packets twice",
		"Each works in both directions unless it ends in @in or @out, as the switch sees the port.",
	}
}
