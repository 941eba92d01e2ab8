package fault

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab/fault/faulttest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

const (
	ack = segment.ACK
	psh = segment.PSH
	fin = segment.FIN
	urg = segment.URG
	rst = segment.RST
)

func TestEveryRuleDropsATestSegment(t *testing.T) {
	for _, k := range catalogue {
		if faulttest.Drops[k.name] == nil {
			t.Errorf("%s has no description", k.name)
		}
	}
	for name, drops := range faulttest.Drops {
		if !slices.ContainsFunc(faulttest.Segments, drops) && name != "straddling=1000" && name != "straddling=1004" {
			t.Errorf("no test segment is dropped by %s", name)
		}
	}
}

// Fault.Drops agrees with the list of package faulttest. fault_net_test.go of package lab compares the kernel with the
// same list.
func TestFaultsSayWhatTheyDrop(t *testing.T) {
	for name, drops := range faulttest.Drops {
		for _, s := range faulttest.Segments {
			for _, c := range []struct {
				suffix  string
				in, out bool
			}{{"", true, true}, {"@in", true, false}, {"@out", false, true}} {
				f := mustParse(t, name+c.suffix)[0]
				if f.Drops(&s, In) != (c.in && drops(s)) || f.Drops(&s, Out) != (c.out && drops(s)) {
					t.Errorf("%s, %v: drops in %v, out %v", f.Name, &s, f.Drops(&s, In), f.Drops(&s, Out))
				}
			}
		}
	}
}

func mustParse(t *testing.T, texts ...string) []Fault {
	t.Helper()
	faults, err := ParseAll(texts)
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

// Loss returns a share if only some segments are lost.
func TestLossIsALongRunShare(t *testing.T) {
	push := &segment.Segment{Flags: ack | psh, Payload: []byte{1}}
	control := &segment.Segment{Flags: ack | psh, Seq: seq.At(1), Payload: []byte{1}}
	for name, want := range map[string][2]float64{
		"loss=5%":                     {0.05, 0.05},
		"burst=20%/10ms":              {0.2, 0.2},
		"push-at-zero":                {1, 0},
		"push-at-zero@out":            {0, 0},
		"ecmp=16/1:push-at-zero":      {1. / 16, 0}, // a segment without addresses stands for any flow
		"spray=16/4:push-at-zero":     {1. / 4, 0},
		"spray=2/1:loss=50%":          {1. / 4, 1. / 4},
		"delay=1ms":                   {0, 0},
		"duplicate=10%":               {0, 0},
		"delay-at-zero=300ms":         {0, 0},
		"short-at-zero=50":            {0.5, 0}, // by length
		"long-at-zero=50":             {0.5, 0},
		"first-at-zero=1@in":          {0.5, 0}, // of each connection one
		"first-at-zero=1@out":         {0, 0},
		"after-at-zero=1":             {0.5, 0},
		"every-at-zero=4":             {0.25, 0},
		"rate-at-zero=1":              {0.5, 0},
		"options-at-zero=with":        {0.5, 0},
		"damage-at-zero":              {1, 0}, // by the receiver
		"in-flight-at-zero=drop":      {0.5, 0},
		"in-flight-at-zero=reset":     {0.5, 0},
		"in-flight-at-zero=300ms":     {0, 0},
		"wrap=range/0":                {1, 0},
		"wrap=range/1":                {1, 1},
		"wrap=start":                  {0.5, 0.5}, // of connections that began before the wrap
		"wrap=window@in":              {0.5, 0.5}, // until it is acknowledged
		"wrap=end":                    {0, 0},
		"ecmp=16/1/7:push-at-zero@in": {1. / 16, 0},
	} {
		f := mustParse(t, name)[0]
		if got := [2]float64{f.Loss(push, In), f.Loss(control, In)}; got != want {
			t.Errorf("%s: loses %v, want %v", name, got, want)
		}
	}
}

func ExampleFault_Loss() {
	f, _ := Parse("fin-push-rst-at-zero@in")
	fmt.Println(f.Loss(&segment.Segment{Flags: rst}, In), f.Loss(&segment.Segment{Flags: rst}, Out),
		f.Loss(&segment.Segment{Flags: urg | ack}, In))
	// Output: 1 0 0
}

// What becomes of segments at 0 depends on their length, or on how many came before.
func TestWhatIsLostAtZero(t *testing.T) {
	for _, c := range []struct {
		fault  string
		bytes  int
		before int
		lost   bool
	}{
		{"short-at-zero=50", 49, 0, true}, {"short-at-zero=50", 50, 0, false},
		{"long-at-zero=50", 50, 0, false}, {"long-at-zero=50", 51, 0, true},
		{"first-at-zero=2", 9, 1, true}, {"first-at-zero=2", 9, 2, false},
		{"after-at-zero=2", 9, 1, false}, {"after-at-zero=2", 9, 2, true},
		{"options-at-zero=with", 9, 0, false}, {"options-at-zero=without", 9, 0, true},
		{"in-flight-at-zero=drop", 9, 0, true}, {"in-flight-at-zero=reset", 9, 0, true},
		{"in-flight-at-zero=1s", 9, 0, false},
		{"delay-at-zero=1s", 9, 0, false}, {"damage-at-zero", 9, 0, false}, {"rate-at-zero=1", 9, 9, false},
	} {
		s := &segment.Segment{Flags: ack | psh, Payload: make([]byte, c.bytes)}
		if got := mustParse(t, c.fault)[0].Impairment.AtZero.Loses(s, c.before); got != c.lost {
			t.Errorf("%s, %d bytes, %d before: lost %t", c.fault, c.bytes, c.before, got)
		}
	}
	a := mustParse(t, "first-at-zero=1")[0].Impairment.AtZero
	for _, no := range []segment.Segment{{Flags: ack}, {Flags: segment.SYN}, {Flags: rst, Len: 1},
		{Flags: ack, Len: 1, Seq: seq.At(1)}} {
		if a.Matches(&no) {
			t.Errorf("%v is none of those", &no)
		}
	}
	if (AtZero{}).Matches(&segment.Segment{Flags: ack, Len: 1}) || !a.Matches(&segment.Segment{Flags: ack | fin}) {
		t.Error("nothing asked for matches, or a FIN does not")
	}
}
