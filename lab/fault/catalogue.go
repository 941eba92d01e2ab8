package fault

import (
	"fmt"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// known is a rule with a name.
type known struct {
	name string
	rule Rule
	does string // text for users after "drops"
}

// catalogue has the faults that drop and need no parameter. A fault whose name ends in -zero is also available for any
// other number.
var catalogue = []known{
	{"push-at-zero", at(withAll(segment.PSH)), "segments with PSH at sequence 0"},
	{"fin-at-zero", at(withAll(segment.FIN)), "segments with FIN at sequence 0"},
	{"urg-at-zero", at(withAll(segment.URG)), "segments with URG at sequence 0"},
	{"rst-at-zero", at(withAll(segment.RST)), "segments with RST at sequence 0"},
	{"syn-at-zero", at(withAll(segment.SYN)), "segments with SYN at sequence 0"},
	{"ack-at-zero", at(exactly(segment.ACK)), "segments with ACK and no other flag at sequence 0"},
	{"fin-urg-push-at-zero", at(withAny(segment.FIN | segment.URG | segment.PSH)),
		"segments with any of FIN, URG, PSH at sequence 0"},
	{"fin-push-rst-at-zero", at(withAny(segment.FIN | segment.PSH | segment.RST)),
		"segments with any of FIN, PSH, RST at sequence 0"},
	{"fin-urg-push-together-at-zero", at(withAll(segment.FIN | segment.URG | segment.PSH)),
		"segments with all of FIN, URG, PSH at sequence 0: no natural segment"},
	{"no-flags-at-zero", at(exactly(0)), "segments without a flag at sequence 0: no natural segment"},
	{"dos-control-at-zero", at(exactly(0) | withAll(segment.FIN|segment.URG|segment.PSH)), "both of these at sequence 0"},
	{"any-flags-at-zero", at(withAny(sixFlags)), "segments with any flag at sequence 0"},
	{"all-at-zero", at(withAll(0)), "segments at sequence 0, with or without flags"},
	{"straddling-zero", Rule{Flags: withAll(0), Place: Straddling, Share: 1},
		"segments that start before sequence 0 and carry the byte of sequence 0"},
	{"ack-number-zero", Rule{Flags: withAll(segment.ACK), Place: Acking, Share: 1},
		"segments with ACK whose acknowledgement number is 0"},
	{"every-push", every(withAll(segment.PSH)), "segments with PSH at any sequence number"},
	{"every-fin", every(withAll(segment.FIN)), "segments with FIN at any sequence number"},
	{"every-urg", every(withAll(segment.URG)), "segments with URG at any sequence number"},
	{"every-rst", every(withAll(segment.RST)), "segments with RST at any sequence number"},
	{"every-syn", every(withAll(segment.SYN)),
		"segments with SYN at any sequence number, as a packet filter without state does to a port"},
	{"xmas", every(exactly(segment.FIN | segment.URG | segment.PSH)),
		"segments with FIN, URG, PSH and no other flag at any sequence number"},
	{"no-flags", every(exactly(0)), "segments without a flag at any sequence number"},
	{"invalid-flags", every(combinations(invalid)),
		"segments with flags that connection tracking calls invalid, the two above among them"},
	{"everything", Rule{Share: 1}, "every packet"},
}

func at(flags FlagSet) Rule    { return Rule{Flags: flags, Place: Starting, Share: 1} }
func every(flags FlagSet) Rule { return Rule{Flags: flags, Share: 1} }

// invalid reports whether Linux's connection tracking regards these flags as invalid (tcp_valid_flags in
// nf_conntrack_proto_tcp.c). Valid are the flags of segments that open a connection, reset one, or belong to one.
func invalid(f segment.Flags) bool {
	switch f &^ segment.PSH {
	case segment.SYN, segment.SYN | segment.URG, segment.SYN | segment.ACK, segment.RST, segment.RST | segment.ACK,
		segment.FIN | segment.ACK, segment.FIN | segment.ACK | segment.URG, segment.ACK, segment.ACK | segment.URG:
		return false
	}
	return true
}

// anyNumberName returns the name of the fault for another number than 0.
func (k known) anyNumberName() (name string, ok bool) { return strings.CutSuffix(k.name, "-zero") }

// alikeNames returns the names of the faults for numbers like 0; ok is false if the fault is not about where segments
// start.
func (k known) alikeNames() (multiples, upTo string, ok bool) {
	name, ok := strings.CutSuffix(k.name, "-at-zero")
	return name + "-at-multiples", name + "-up-to", ok && k.rule.Place == Starting
}

// rules has the catalogue's rules by name.
var rules = index(catalogue)

func index(list []known) map[string]Rule {
	m := map[string]Rule{}
	for _, k := range list {
		m[k.name] = k.rule
	}
	return m
}

// Catalogue returns the names of the faults that drop by a rule and need no parameter, of those that do something else
// to segments at 0, and of two that drop at numbers like 0 as well.
func Catalogue() (names []string) {
	for _, k := range catalogue {
		names = append(names, k.name)
	}
	return append(names, "delay-at-zero=300ms", "first-at-zero=1", "short-at-zero=50", "long-at-zero=60",
		"reset-at-zero=61", "push-at-multiples=65536", "push-up-to=50")
}

// Help returns a description of each fault, one line each: how to write it and what it does.
func Help() (lines []string) {
	line := func(written, does string) { lines = append(lines, fmt.Sprintf("%-30s %s", written, does)) }
	for _, k := range catalogue {
		line(k.name, "drops "+k.does)
	}
	line("push-at=1000", "as push-at-zero, at sequence 1000; so for each that ends in -zero")
	line("push-at-multiples=65536", "as push-at-zero, at every multiple of 65536; so for each that ends in -at-zero")
	line("push-up-to=50", "as push-at-zero, at sequence 0 to 50; so for each that ends in -at-zero")
	line("loss=5%", "drops each packet with this probability")
	line("burst=5%/50ms", "drops everything 5 % of the time, in bursts of 50 ms on average")
	line("ecmp=16/1[/7]:push-at-zero", "1 of 16 members drops; which carries a flow is a hash over it, with seed 7")
	line("spray=16/1:push-at-zero", "1 of 16 members drops; which carries a packet is chance")
	line("delay=20ms[/5ms]", "delays packets by 20 ms, and by up to 5 ms more")
	line("reorder=10%[/2ms]", "holds 10 % of the packets back by 2 ms, so that later ones overtake")
	line("duplicate=1%", "delivers 1 % of the packets twice")
	line("delay-at-zero=300ms", "holds segments with data or FIN at sequence 0 back, so that later ones overtake")
	line("short-at-zero=50", "drops those of them that carry fewer than 50 bytes")
	line("long-at-zero=100", "drops those of them that carry more than 100 bytes")
	line("first-at-zero=1", "drops the first of them in each connection")
	line("after-at-zero=1", "drops all but the first of them in each connection")
	line("every-at-zero=2", "drops every second of them, over all connections")
	line("rate-at-zero=1", "drops those that are more than one in a second, over all connections")
	line("options-at-zero=with", "drops those of them with the timestamps option; =without: those that have none")
	line(damage, "turns a bit over in each of them, and leaves its checksum")
	line("wrap=range/1000000000", "drops segments that start at 0 to 1000000000, except SYNs")
	line("wrap=start", "drops what starts after the wrap at 2^32 of its connection")
	line("wrap=bytes", "drops what starts, or has bytes, after the wrap of its connection")
	line("wrap=end", "drops data whose number and length add up to 2^32 or more")
	line("wrap=window", "drops bytes after the wrap until those before it are acknowledged")
	line(dropOld, "drops TCP segments that begin before what was acknowledged already, SYN and RST excepted")
	line(dropInFlight, "drops TCP data while earlier data of its connection is not acknowledged")
	line("in-flight-at-zero=drop", "drops segments with data or FIN at sequence 0 while earlier data of their connection "+
		"is not acknowledged; =reset: answers them with an RST; =300ms: holds them back")
	line("reset-at-zero=61", "drops segments with data or FIN at sequence 0 and answers with an RST in the receiver's "+
		"name, with that hop limit")
	return append(lines, "Each works in both directions unless it ends in @in or @out, as the switch sees the port.")
}
