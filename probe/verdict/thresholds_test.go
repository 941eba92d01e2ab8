package verdict

import (
	"math"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Numbers on which verdicts depend are literals here, so that a changed constant fails the test.
func TestThresholds(t *testing.T) {
	seen := Observation{Opening: open, Control: Count{Sent: 1}}
	queue := func(refusals, alive int) report.Reason {
		return AcceptQueue(&Filling{Cap: 10, Least: 6, First: ResetIt, SYNRefused: true, UnderWay: ResetIt,
			Refusals: refusals, BeaconsAnswered: alive, Observation: Observation{PeerReset: true}}).Reason
	}
	for name, reasons := range map[string][2]report.Reason{
		"two RSTs":                       {queue(2, 1), report.PeerReset},
		"three RSTs":                     {queue(3, 1), report.QueueOverflowed},
		"three RSTs, no beacon answered": {queue(3, 0), report.PeerReset},
		"15 lost at other numbers":       {SequenceWrap(withOtherNumbers(seen, 15, 15)).Reason, report.PathLossy},
		"16 lost at other numbers":       {SequenceWrap(withOtherNumbers(seen, 16, 16)).Reason, report.StateTracking},
		"16 of 17 lost at other numbers": {SequenceWrap(withOtherNumbers(seen, 17, 16)).Reason, report.PathLossy},
		"one control lost": {SequenceWrap(&Observation{Opening: open, Control: Count{1, 1}}).Reason,
			report.PathDown},
		"no control sent":             {SequenceWrap(&Observation{Opening: open}).Reason, report.PathLossy},
		"more connections than asked": {AcceptQueue(&Filling{Cap: 10, Least: 11}).Reason, report.NotReached},
		"one connection, then refused": {AcceptQueue(&Filling{Cap: 10, Least: 1,
			Observation: Observation{Opening: conn.Opening{Answer: conn.ResetAnswer}}}).Reason, report.PathDown},
		"final ACK lost, not isolated": {HandshakeAck(&Observation{Opening: open, Control: Count{6, 5}}).Reason,
			report.NotIsolated},
		"final ACK lost once": {HandshakeAck(&Observation{Opening: open, Control: Count{1, 1},
			Isolated: true}).Reason, report.HandshakeAckLost},
		"final ACK never lost": {HandshakeAck(&Observation{Opening: open, Control: Count{6, 0},
			Isolated: true}).Reason, report.NotIsolated},
	} {
		if reasons[0] != reasons[1] {
			t.Errorf("%s: %s, want %s", name, reasons[0], reasons[1])
		}
	}
}

func withOtherNumbers(o Observation, sent, lost int) *Observation {
	o.OtherNumbers = Count{sent, lost}
	return &o
}

// A p-value that equals the error bound is significant, and one above it is not.
func TestSignificanceAtTheErrorBound(t *testing.T) {
	block := Block{4, 12}
	p := Fisher(4, 4, 0, 12)
	more := math.Nextafter(p, 1)
	less := math.Nextafter(p, 0)
	for _, c := range []struct {
		name        string
		at, below   bool
		unasked     bool
		wantUnasked bool
	}{
		{"block", Confirmation{Block: block, Alpha: p}.Significant(),
			Confirmation{Block: block, Alpha: less}.Significant(),
			Confirmation{Alpha: 1}.Significant(), false},
		{"overflow test", OverflowTest{Alpha: 4 * more, Rounds: []Round{{block, 0}}}.Significant(),
			OverflowTest{Alpha: 4 * less, Rounds: []Round{{block, 0}}}.Significant(),
			OverflowTest{Alpha: 4}.Significant(), false},
		{"incarnations", Incarnations{Made: 1, P: p, Alpha: p}.Significant(),
			Incarnations{Made: 1, P: p, Alpha: less}.Significant(),
			Incarnations{Alpha: 1}.Significant(), false},
	} {
		if !c.at || c.below || c.unasked != c.wantUnasked {
			t.Errorf("%s: significant at the error bound %t, below it %t, without segments %t", c.name, c.at, c.below, c.unasked)
		}
	}
	if d := (OverflowTest{Alpha: 4 * p, Rounds: []Round{{block, 0}}}); !d.Significant() { // 4 * p / 4 is p again
		t.Error("an overflow test with p equal to its error bound is not significant")
	}
	pool := Pools{{Count{4, 4}, Count{12, 0}}}
	if _, at := pool.Lossy("Push", p); !at {
		t.Error("a pool with p equal to the error bound is not lossy")
	}
	if _, below := pool.Lossy("Push", less); below {
		t.Error("a pool with p above the error bound is lossy")
	}
	one := Pools{{Count{1, 1}, Count{999, 0}}}
	if _, lossy := one.Lossy("Push", 0.0011); !lossy {
		t.Error("one lost suspect of 1,000 segments is not significant at 0.0011")
	}
}

// Every test of copies is significant at the error bound, and never without copies.
func TestCopiesAtTheErrorBound(t *testing.T) {
	copies := func(n int) Copies {
		return append(sized(true, true, make([]int, n)...), sized(false, false, make([]int, n)...)...)
	}
	for name, test := range map[string]func(c Copies, alpha float64) (p float64, significant bool){
		"delay": func(c Copies, alpha float64) (float64, bool) {
			e := Exchange{Copies: c, Alpha: alpha}
			return e.DelayP(), e.Delayed()
		},
		"loss": func(c Copies, alpha float64) (float64, bool) {
			e := Exchange{Copies: c, Alpha: alpha}
			return e.LossP(), e.Lossy()
		},
		"size": func(c Copies, alpha float64) (float64, bool) {
			s := SizeTest{Copies: c, Alpha: alpha}
			return s.P(), s.Significant()
		},
		"options": func(c Copies, alpha float64) (float64, bool) {
			o := OptionsTest{Copies: c, Alpha: alpha}
			return o.P(), o.Significant()
		},
		"first": func(c Copies, alpha float64) (float64, bool) {
			f := FirstTest{Copies: c, Alpha: alpha}
			return f.P(), f.Significant()
		},
	} {
		p, _ := test(copies(3), 0)
		if _, at := test(copies(3), p); !at {
			t.Errorf("%s: not significant at the error bound %g", name, p)
		}
		if _, below := test(copies(3), math.Nextafter(p, 0)); below {
			t.Errorf("%s: significant below the error bound %g", name, p)
		}
		if _, unasked := test(nil, 1); unasked {
			t.Errorf("%s: significant without copies", name)
		}
		if _, one := test(copies(1)[:1], 1); !one {
			t.Errorf("%s: one copy does not count", name)
		}
	}
}

// A block of kernel connections convicts at the error bound, is not hopeless there, and is planned for it.
func TestKernelBlockAtTheErrorBound(t *testing.T) {
	pool := Pool{Suspects: Count{5, 4}, Beacons: Count{5, 0}} // one got through
	p := (Pools{pool}).P()
	less := math.Nextafter(p, 0)
	for alpha, at := range map[float64]bool{p: true, less: false} {
		b := &KernelBlock{Each: 5, Alpha: alpha, sizes: []string{"3"}, strata: Pools{pool}}
		if b.Convicts() != at || b.Hopeless() == at {
			t.Errorf("p %g at %g: convicts %t, hopeless %t", p, alpha, b.Convicts(), b.Hopeless())
		}
		if n := asked([]string{"3"}).Block(2 * alpha).Each; (n == 5) != at {
			t.Errorf("at %g: %d of each", alpha, n)
		}
	}
}
