package verdict

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// The numbers that verdicts rest on are written as numbers here, so that nobody changes one unseen.

func TestEnoughOfEverything(t *testing.T) {
	seen := Observation{Opening: open, Control: Count{Sent: 1}}
	queue := func(refusals, alive int) report.Reason {
		return AcceptQueue(&Filling{Cap: 10, Least: 6, First: ResetIt, Refusals: refusals, Alive: alive,
			Observation: Observation{PeerReset: true}}).Reason
	}
	for name, reasons := range map[string][2]report.Reason{
		"two refusals are no overflow":   {queue(2, 1), report.PeerReset},
		"three are":                      {queue(3, 1), report.QueueOverflowed},
		"but not if nothing else lives":  {queue(3, 0), report.PeerReset},
		"15 lost elsewhere are too few":  {SequenceWrap(elsewhere(seen, 15, 15)).Reason, report.PathLossy},
		"16 are enough":                  {SequenceWrap(elsewhere(seen, 16, 16)).Reason, report.StateTracking},
		"but not if one of them arrived": {SequenceWrap(elsewhere(seen, 17, 16)).Reason, report.PathLossy},
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

func elsewhere(o Observation, sent, lost int) *Observation {
	o.Elsewhere = Count{sent, lost}
	return &o
}

// TestErrorIsReached: a p-value that equals the error convicts, and one above it does not.
func TestErrorIsReached(t *testing.T) {
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
		{"block", Confirmation{Block: block, Alpha: p}.Convicts(), Confirmation{Block: block, Alpha: less}.Convicts(),
			Confirmation{Alpha: 1}.Convicts(), false},
		{"doubt", OverflowTest{Alpha: 4 * more, Rounds: []Round{{block, 0}}}.Convicts(), OverflowTest{Alpha: 4 * less,
			Rounds: []Round{{block, 0}}}.Convicts(),
			OverflowTest{Alpha: 4}.Convicts(), false},
		{"incarnations", Incarnations{Made: 1, P: p, Alpha: p}.Convicts(), Incarnations{Made: 1, P: p,
			Alpha: less}.Convicts(),
			Incarnations{Alpha: 1}.Convicts(), false},
	} {
		if !c.at || c.below || c.unasked != c.wantUnasked {
			t.Errorf("%s: convicts at its error %t, below %t, unasked %t", c.name, c.at, c.below, c.unasked)
		}
	}
	if d := (OverflowTest{Alpha: 4 * p, Rounds: []Round{{block, 0}}}); !d.Convicts() { // 4 * p / 4 is p again
		t.Error("doubt at its error")
	}
	pool := Pools{{Count{4, 4}, Count{12, 0}}}
	if _, at := pool.Lossy("Push", p); !at {
		t.Error("a pool at its error is not lossy")
	}
	if _, below := pool.Lossy("Push", less); below {
		t.Error("a pool below its error is lossy")
	}
	one := Pools{{Count{1, 1}, Count{999, 0}}}
	if _, lossy := one.Lossy("Push", 0.0011); !lossy {
		t.Error("a single suspect that is lost of a thousand segments is not enough at 0.0011")
	}
}

func TestNothingAsked(t *testing.T) {
	if p := (Confirmation{Block: Block{0, 30}, BeaconsLost: 3}).P(); p != 1 {
		t.Errorf("without a suspect p is %g", p)
	}
	if p := (Confirmation{Block: Block{1, 3}}).P(); math.Abs(p-0.25) > 1e-12 {
		t.Errorf("of one suspect among four p is %g", p)
	}
	if (Confirmation{Block: Block{1, 3}, Alpha: 0.25}).Convicts() != true {
		t.Error("one suspect among four does not convict at 0.25")
	}
	for c, want := range map[Count]float64{{}: 0, {4, 1}: 0.25, {1, 1}: 1, {1, 0}: 0} {
		if got := c.Rate(); got != want {
			t.Errorf("rate of %+v: %g", c, got)
		}
	}
}

func TestRoundTrips(t *testing.T) {
	if RTT(nil) != nil {
		t.Error("a round trip of nothing")
	}
	one := []time.Duration{7 * time.Microsecond}
	if got := RTT(one); *got != (report.RTT{Min: 7, Median: 7, P99: 7}) {
		t.Errorf("of one: %+v", *got)
	}
	var many []time.Duration
	for i := range 201 {
		many = append(many, time.Duration(201-i)*time.Microsecond)
	}
	if got := RTT(many); *got != (report.RTT{Min: 1, Median: 101, P99: 199}) {
		t.Errorf("of 1 to 201: %+v", *got)
	}
	if got := RTT(many[1:]); *got != (report.RTT{Min: 1, Median: 100, P99: 198}) {
		t.Errorf("of 1 to 200: %+v", *got)
	}
}

func TestAllThatWasOpened(t *testing.T) {
	f := Filling{Least: 6, More: 2, First: IgnoredAck}
	if f.Most() != 8 || f.Behaviour() != IgnoredAck {
		t.Errorf("%d, %s", f.Most(), f.Behaviour())
	}
}

// TestBackgroundIsBounded: above 1 % always, above what was seen with 99 % confidence, and 15 % at most where
// nothing was lost.
func TestBackgroundIsBounded(t *testing.T) {
	for _, c := range []struct {
		seen     Count
		from, to float64
	}{
		{Count{}, 1, 1},
		{Count{1, 0}, 0.15, 0.15},
		{Count{5, 0}, 0.15, 0.15},
		{Count{29, 0}, 0.146, 0.149},
		{Count{1, 1}, 1, 1},
		{Count{2, 1}, 0.9949, 0.9951},
		{Count{10_000, 0}, 0.01, 0.01},
	} {
		var b Background
		b.Add(c.seen)
		if p := b.P0(); p < c.from || p > c.to {
			t.Errorf("%+v: p0 is %g, want %g to %g", c.seen, p, c.from, c.to)
		}
		for range 2 {
			if b.Count() != c.seen {
				t.Errorf("counts %+v of %+v", b.Count(), c.seen)
			}
		}
	}
}

// TestBudget: flows take turns, each at its own share, until one is convicted; the others then may err in 0.2 %, or
// in what they might before if that is more.
func TestBudget(t *testing.T) {
	for share, after := range map[float64]float64{1e-7: 2e-3, 5e-3: 5e-3} {
		b := NewBudget(share)
		var turns []Turn
		for _, convicted := range []bool{false, true, true} {
			turns = append(turns, b.Spend(t.Context(), func(Turn) bool { return convicted }))
		}
		want := []Turn{{Alpha: share}, {Alpha: share, Leads: true}, {Alpha: after, Follows: true}}
		if !slices.Equal(turns, want) {
			t.Errorf("%+v, want %+v", turns, want)
		}
	}
}

// TestWhoFollowsWaitsForWhoLeads: a conviction that late answers revoke carries nobody.
func TestWhoFollowsWaitsForWhoLeads(t *testing.T) {
	convicts := func(Turn) bool { return true }
	for name, stands := range map[string]bool{"final": true, "revoked": false} {
		synctest.Test(t, func(t *testing.T) {
			b := NewBudget(1e-7)
			b.Spend(t.Context(), convicts)
			if turn := b.Spend(t.Context(), convicts); !turn.Follows || turn.Leads {
				t.Errorf("%s: %+v", name, turn)
			}
			over, cancel := context.WithCancel(t.Context())
			cancel()
			if b.Stands(over) {
				t.Errorf("%s: it stands before it is settled", name)
			}
			got := make(chan bool)
			go func() { got <- b.Stands(t.Context()) }()
			synctest.Wait()
			b.Settle(stands)
			if <-got != stands {
				t.Errorf("%s: stands %t", name, !stands)
			}
			if turn := b.Spend(t.Context(), convicts); turn.Follows != stands {
				t.Errorf("%s: afterwards %+v", name, turn)
			}
		})
	}
	if NewBudget(1).Stands(t.Context()) {
		t.Error("nobody leads, and it stands")
	}
}

func TestOneSpendsAtATime(t *testing.T) {
	b := NewBudget(1)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	b.Spend(t.Context(), func(Turn) bool {
		for range 64 { // a turn that was free would be taken every second time
			b.Spend(over, func(Turn) bool { t.Error("two at a time"); return false })
		}
		return false
	})
	spent := false
	b.Spend(t.Context(), func(Turn) bool { spent = true; return false })
	if !spent {
		t.Error("the turn was not given back")
	}
}

// TestRounds: 24 to 48 beacons, one round if that convicts, else three.
func TestRounds(t *testing.T) {
	for _, c := range []struct {
		suspects    int
		alpha, loss float64
		want        Block
	}{
		{16, 1e-7, 0, Block{16, 24}},
		{3, 4 * Fisher(3, 3, 0, 24), 0, Block{3, 24}},
		{3, 0.0014, 0, Block{3, 24}},     // 1/2925 is less than 0.0014/4
		{3, 0.0013, 0, Block{3, 25}},     // and more than 0.0013/4; 1/3276 is not
		{3, 0.00021, 0, Block{3, 47}},    // 1/19600 is less than 0.00021/4
		{3, 0.00019, 0, Block{3, 24}},    // no single round of fewer than 48 convicts, three of 24 do
		{3, 0.0002, 0, Block{3, 24}},     // nor one of 48 counts
		{2, 1.2e-7, 0, Block{2, 24}},     // (1/325)³ is 2.9e-8, and less than 1.2e-7/4
		{2, 1.1e-7, 0, Block{2, 25}},     // and more than 1.1e-7/4
		{1, 1e-9, 0, Block{1, 48}},       // nothing does
		{16, 1e-7, 0.36, Block{16, 24}},  // three of them do
		{16, 1e-7, 0.999, Block{16, 48}}, // nothing does
	} {
		if got := RoundFor(c.suspects, c.alpha, c.loss); got != c.want {
			t.Errorf("%d suspects, alpha %g, loss %g: %+v, want %+v", c.suspects, c.alpha, c.loss, got, c.want)
		}
	}
	if MostRounds != 4 {
		t.Errorf("%d rounds", MostRounds)
	}
}

// TestBlocks: 4 to 64 suspects, the fewest that convict with two standard deviations and one beacon to spare.
func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		alpha, loss float64
		want        Block
		ok          bool
	}{
		{0.5, 0, Block{4, 12}, true},
		{Fisher(4, 4, 0, 12), 0, Block{4, 12}, true},                    // exactly what 4 among 16 prove
		{math.Nextafter(Fisher(4, 4, 0, 12), 0), 0, Block{5, 15}, true}, // and a little less
		{1e-7, 0, Block{8, 24}, true},                                   //
		{1e-7, 1e-9, Block{10, 30}, true},                               // one beacon to spare
		{1e-7, 0.02, Block{12, 36}, true},                               //
		{1e-7, 0.36, Block{28, 84}, true},                               //
		{1e-7, 0.9, Block{64, 192}, false},                              // nothing bearable does
		{Fisher(64, 64, 0, 192), 0, Block{64, 192}, true},               // the largest
		{Fisher(64, 64, 0, 192) / 1.01, 0, Block{64, 192}, false},       // is not enough
	} {
		if got, ok := BlockFor(c.alpha, c.loss, 3); got != c.want || ok != c.ok {
			t.Errorf("alpha %g, loss %g: %+v %t, want %+v %t", c.alpha, c.loss, got, ok, c.want, c.ok)
		}
	}
}

// TestPoolBlocks: 320 suspects over all flows, 4 to 64 from each, and three beacons with every one.
func TestPoolBlocks(t *testing.T) {
	for flows, want := range map[int]Block{1: {64, 192}, 5: {64, 192}, 6: {54, 162}, 11: {30, 90}, 16: {20, 60},
		319: {4, 12}, 80: {4, 12}, 79: {5, 15}} {
		if got := PoolBlock(flows); got != want {
			t.Errorf("%d flows: %+v, want %+v", flows, got, want)
		}
	}
}

func TestPoolsAddUp(t *testing.T) {
	got := Pools{{Count{4, 1}, Count{12, 2}}, {Count{40, 10}, Count{120, 20}}}.Sum()
	if want := (Pool{Count{44, 11}, Count{132, 22}}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestUnevenLoss: from two first suspects on, and below a quarter.
func TestUnevenLoss(t *testing.T) {
	for _, c := range []struct {
		first, others Count
		want          bool
	}{
		{Count{2, 2}, Count{2, 0}, true},   // 1/6
		{Count{2, 2}, Count{2, 1}, false},  // a half
		{Count{1, 1}, Count{99, 0}, false}, // one is chance
		{Count{4, 2}, Count{4, 0}, true},   // 3/14
		{Count{6, 2}, Count{4, 0}, false},  // a third
		{Count{3, 3}, Count{3, 1}, true},   // 3/15
	} {
		if got := Uneven(c.first, c.others); got != c.want {
			t.Errorf("%+v against %+v: %t, p = %g", c.first, c.others, got, Fisher(c.first.Lost, c.first.Sent, c.others.Lost,
				c.others.Sent))
		}
	}
}

// TestSuspicionStarts: after ln(999)/ln(0.9/p0) losses in a row, 1 % background at least, never from 90 % on.
func TestSuspicionStarts(t *testing.T) {
	// the background at which n losses are just enough
	at := func(n int) float64 { return 0.9 / math.Pow(999, 1/float64(n)) }
	for n := 2; n < 20; n++ {
		if !Suspicious(n, at(n)*0.9999) || Suspicious(n, at(n)*1.0001) {
			t.Errorf("%d losses in a row at %g", n, at(n))
		}
	}
	if Suspicious(1, 0) || Suspicious(1000, 0.9) || !Suspicious(1_000_000, 0.8999) {
		t.Error("a single loss is suspicious, or anything where nine of ten are lost")
	}
	if !Suspicious(2, 0.01) || Suspicious(1, 1e-9) {
		t.Error("at 1 % two losses are not enough, or a smaller background counts")
	}
}

// TestTheMostFrequentFindingSpeaks of those with the verdict of all.
func TestTheMostFrequentFindingSpeaks(t *testing.T) {
	pass := Finding{report.Pass, report.Delivered, "p", false}
	lossy := Finding{report.Inconclusive, report.PathLossy, "l", false}
	down := Finding{report.Inconclusive, report.PathDown, "d", false}
	for _, flows := range [][]Finding{{down, down, lossy, pass, pass, pass}, {lossy, down, down, pass, pass, pass},
		{pass, pass, pass, down, lossy, down}} {
		if f, n := Combine(flows); f != down || n.Inconclusive != 3 {
			t.Errorf("%+v %+v", f, n)
		}
	}
	another := lossy
	another.Message = "another"
	if f, _ := Combine([]Finding{lossy, another}); f != lossy {
		t.Errorf("of two the same %q speaks, want the first", f.Message)
	}
	if f, _ := Combine([]Finding{pass}); f != pass {
		t.Errorf("one that passes is %+v", f)
	}
}

// TestWhenAFinIsDecided: each way by itself, and none of them.
func TestWhenAFinIsDecided(t *testing.T) {
	for _, c := range []struct {
		answers FinAnswers
		want    bool
	}{
		{FinAnswers{}, false},
		{FinAnswers{FinIgnored: 1}, false},
		{FinAnswers{FinIgnored: 2}, true},
		{FinAnswers{FinAccepted: 1}, true},
		{FinAnswers{FinAccepted: 2, FinIgnored: 1}, false},
		{FinAnswers{FinUnheard: 2}, false},
		{FinAnswers{FinUnheard: 3}, true},
		{FinAnswers{FinUnheard: 3, FinIgnored: 1}, false},
		{FinAnswers{FinLate: 2}, false},
		{FinAnswers{FinLate: 3}, true},
		{FinAnswers{FinLate: 3, FinIgnored: 1}, false},
	} {
		if got := c.answers.Decided(); got != c.want {
			t.Errorf("%v: decided %t", c.answers, got)
		}
	}
}

// TestImpossibleCounts: more cannot be lost than there is.
func TestImpossibleCounts(t *testing.T) {
	if !math.IsInf(logChoose(3, -1), -1) || !math.IsInf(logChoose(3, 4), -1) || logChoose(3, 0) != 0 ||
		math.Abs(logChoose(3, 1)-math.Log(3)) > 1e-12 {
		t.Error("choosing what is not there")
	}
	near(t, "2 of 3 suspects, 1 of 1", Fisher(2, 3, 1, 1), 1)
	near(t, "1 of 3 suspects, 2 of 3", Fisher(1, 3, 2, 3), 0.95)
	if p := Fisher(0, 1, 1, 4); p > 1 { // its sum is, by a rounding
		t.Errorf("p is %g", p)
	}
}
