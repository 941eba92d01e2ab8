package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

const (
	ack = segment.ACK
	psh = segment.PSH
	fin = segment.FIN
	urg = segment.URG
	rst = segment.RST
	syn = segment.SYN
	ece = segment.ECE
)

// crafted are the segments that every rule is shown. Their payload is 4 bytes.
var crafted = craft()

func craft() (list []segment.Segment) {
	add := func(f segment.Flags, at, acks uint32) {
		list = append(list, segment.Segment{Flags: f, Seq: seq.At(at), Ack: seq.At(acks), WindowScale: -1, Len: 4})
	}
	for _, f := range []segment.Flags{
		0, syn, ack, ack | psh, ack | fin, ack | urg, rst, rst | ack, psh, fin, urg, ack | psh | fin, ack | urg | psh, fin | urg | psh,
		fin | urg | psh | ack, rst | urg, syn | ack, syn | fin, syn | ece, ack | psh | ece,
	} {
		// 2^32-4 ends where 0 begins; 2^32-3 is the first to reach 0, 2^32-1 the last that starts before it.
		for _, at := range []uint32{0, 1, 1<<32 - 1, 1<<32 - 3, 1<<32 - 4, 1000} {
			add(f, at, 7777)
		}
		add(f, 5000, 0)
		add(f, 0, 0)
	}
	return list
}

// flagged is a rule about flags at 0.
func flagged(lost ...segment.Flags) func(segment.Segment) bool {
	return func(s segment.Segment) bool { return s.Seq == seq.At(0) && slices.Contains(lost, s.Flags) }
}

// bites says, rule by rule and in other words than the switch, which segments must be lost.
var bites = map[string]func(segment.Segment) bool{
	"push-at-zero": flagged(ack|psh, psh, ack|psh|fin, ack|urg|psh, fin|urg|psh, fin|urg|psh|ack, ack|psh|ece),
	"fin-at-zero":  flagged(ack|fin, fin, ack|psh|fin, fin|urg|psh, fin|urg|psh|ack, syn|fin),
	"urg-at-zero":  flagged(ack|urg, urg, ack|urg|psh, fin|urg|psh, fin|urg|psh|ack, rst|urg),
	"rst-at-zero":  flagged(rst, rst|ack, rst|urg),
	"syn-at-zero":  flagged(syn, syn|ack, syn|fin, syn|ece),
	"ack-at-zero":  flagged(ack),
	"fin-urg-push-at-zero": func(s segment.Segment) bool {
		return s.Seq == seq.At(0) && !slices.Contains([]segment.Flags{0, syn, ack, rst, rst | ack, syn | ack, syn | ece}, s.Flags)
	},
	"fin-push-rst-at-zero": func(s segment.Segment) bool {
		return s.Seq == seq.At(0) && !slices.Contains([]segment.Flags{0, syn, ack, ack | urg, urg, syn | ack, syn | ece}, s.Flags)
	},
	"fin-urg-push-together-at-zero": flagged(fin|urg|psh, fin|urg|psh|ack),
	"no-flags-at-zero":              flagged(0),
	"dos-control-at-zero":           flagged(0, fin|urg|psh, fin|urg|psh|ack),
	"any-flags-at-zero":             func(s segment.Segment) bool { return s.Seq == seq.At(0) && s.Flags != 0 },
	"all-at-zero":                   func(s segment.Segment) bool { return s.Seq == seq.At(0) },
	"straddling-zero": func(s segment.Segment) bool {
		return s.Seq == seq.At(1<<32-1) || s.Seq == seq.At(1<<32-3)
	},
	"ack-number-zero": func(s segment.Segment) bool { return s.Flags.Has(ack) && s.Ack == seq.At(0) },
	"push-at=1000":    func(s segment.Segment) bool { return s.Seq == seq.At(1000) && s.Flags.Has(psh) },
	"all-at=1":        func(s segment.Segment) bool { return s.Seq == seq.At(1) },
	"straddling=1002": func(s segment.Segment) bool { return s.Seq == seq.At(1000) },
	"straddling=1000": func(s segment.Segment) bool { return false },
	"straddling=1004": func(s segment.Segment) bool { return false },
	"ack-number=7777": func(s segment.Segment) bool { return s.Flags.Has(ack) && s.Ack == seq.At(7777) },
	"every-push":      func(s segment.Segment) bool { return s.Flags.Has(psh) },
	"every-fin":       func(s segment.Segment) bool { return s.Flags.Has(fin) },
	"every-urg":       func(s segment.Segment) bool { return s.Flags.Has(urg) },
	"every-rst":       func(s segment.Segment) bool { return s.Flags.Has(rst) },
	"every-syn":       func(s segment.Segment) bool { return s.Flags.Has(syn) },
	"xmas":            func(s segment.Segment) bool { return s.Flags == fin|urg|psh },
	"no-flags":        func(s segment.Segment) bool { return s.Flags == 0 },
	"invalid-flags": func(s segment.Segment) bool {
		return slices.Contains([]segment.Flags{0, psh, fin, urg, fin | urg | psh, rst | urg, syn | fin}, s.Flags)
	},
	"everything":          func(segment.Segment) bool { return true },
	"loss=100%":           func(segment.Segment) bool { return true },
	"ecmp=2/2:every-fin":  func(s segment.Segment) bool { return s.Flags.Has(fin) },
	"spray=4/4:every-fin": func(s segment.Segment) bool { return s.Flags.Has(fin) },
}

func TestEveryRuleIsShownBiting(t *testing.T) {
	for _, k := range catalogue {
		if bites[k.name] == nil {
			t.Errorf("nothing says what %s drops", k.name)
		}
	}
	for name, bite := range bites {
		if !slices.ContainsFunc(crafted, bite) && name != "straddling=1000" && name != "straddling=1004" {
			t.Errorf("no segment shows %s biting", name)
		}
	}
}

// What a fault says of itself is what it does; fault_net_test.go shows the kernel doing the same.
func TestFaultsSayWhatTheyDrop(t *testing.T) {
	for name, bite := range bites {
		for _, s := range crafted {
			for _, c := range []struct {
				suffix  string
				in, out bool
			}{{"", true, true}, {"@in", true, false}, {"@out", false, true}} {
				f := mustParse(t, name+c.suffix)[0]
				if f.Drops(&s, In) != (c.in && bite(s)) || f.Drops(&s, Out) != (c.out && bite(s)) {
					t.Errorf("%s, %v: drops in %v, out %v", f.Name, &s, f.Drops(&s, In), f.Drops(&s, Out))
				}
			}
		}
	}
}

func mustParse(t *testing.T, texts ...string) []Fault {
	t.Helper()
	faults, err := ParseFaults(texts)
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

// What is lost only sometimes is told as a share.
func TestLossIsALongRunShare(t *testing.T) {
	push := &segment.Segment{Flags: ack | psh}
	control := &segment.Segment{Flags: ack | psh, Seq: seq.At(1)}
	for name, want := range map[string][2]float64{
		"loss=5%":                     {0.05, 0.05},
		"burst=20%/10ms":              {0.2, 0.2},
		"push-at-zero":                {1, 0},
		"push-at-zero@out":            {0, 0},
		"ecmp=16/1:push-at-zero":      {1. / 16, 0}, // of one of any flow
		"spray=16/4:push-at-zero":     {1. / 4, 0},
		"spray=2/1:loss=50%":          {1. / 4, 1. / 4},
		"delay=1ms":                   {0, 0},
		"duplicate=10%":               {0, 0},
		"ecmp=16/1/7:push-at-zero@in": {1. / 16, 0},
	} {
		f := mustParse(t, name)[0]
		if got := [2]float64{f.Loss(push, In), f.Loss(control, In)}; got != want {
			t.Errorf("%s: loses %v, want %v", name, got, want)
		}
	}
}

// flow is one of many to the same target, by its source port.
func flow(f Family, i int) *segment.Segment {
	return &segment.Segment{
		Source:      netip.AddrPortFrom(subnets[f].client.Addr(), uint16(61000+i)),
		Destination: netip.AddrPortFrom(subnets[f].server.Addr(), 9999), Flags: ack | psh, WindowScale: -1, Len: 4,
	}
}

// Every member gets its share of the flows, whatever the seed, and another seed divides them otherwise.
func TestMembersShareTheFlows(t *testing.T) {
	const flows, members = 4096, 16
	for _, f := range Families {
		for seed := range uint32(20) {
			m, next := Members{Count: members, Bad: 1, Seed: seed}, Members{Count: members, Bad: 1, Seed: seed + 1}
			var carried [members]int
			same := 0
			for i := range flows {
				carried[m.choose(flow(f, i))]++
				if m.choose(flow(f, i)) == next.choose(flow(f, i)) {
					same++
				}
			}
			chi := 0.0
			for _, n := range carried {
				d := float64(n) - flows/members
				chi += d * d / (flows / members)
			}
			if chi > 50 { // 15 degrees of freedom: one in a hundred thousand
				t.Errorf("%s, seed %d: members carry %v of %d flows", f, seed, carried, flows)
			}
			if same < 128 || same > 400 { // 256, standard deviation 15
				t.Errorf("%s: seeds %d and %d agree on %d of %d flows", f, seed, seed+1, same, flows)
			}
		}
	}
}

func ExampleFault_Loss() {
	f, _ := ParseFault("fin-push-rst-at-zero@in")
	fmt.Println(f.Loss(&segment.Segment{Flags: rst}, In), f.Loss(&segment.Segment{Flags: rst}, Out), f.Loss(&segment.Segment{Flags: urg | ack}, In))
	// Output: 1 0 0
}
