package verdict

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// asked is evidence of a first connection of each size, harmed where it crosses 0, and of blocks made so far.
func asked(sizes []string, blocks ...*KernelBlock) (e KernelEvidence) {
	for _, s := range sizes {
		e.Samples = append(e.Samples, KernelSample{s, true, KernelStalled, 0}, KernelSample{s, false, KernelUnharmed, 0})
	}
	e.Blocks = blocks
	return e
}

// The first block is as small as its half of the error lets it be, and never larger than its bound.
func TestKernelBlockSizes(t *testing.T) {
	for _, c := range []struct {
		sizes int
		alpha float64
		each  int
	}{{1, 3e-5, 12}, {1, 3e-9, 19}, {5, 3e-5, 3}, {5, 3e-9, 5}, {1, 1e-30, 24}, {1, 2, 2}} {
		b := asked([]string{"1", "3", "100", "MSS", "3*MSS"}[:c.sizes]).Block(c.alpha)
		if b.Each != c.each || b.Alpha != c.alpha/2 {
			t.Errorf("%d sizes at %g: %d each at %g, want %d", c.sizes, c.alpha, b.Each, b.Alpha, c.each)
		}
		if b.Of("1") != c.each || b.Of("7") != 0 {
			t.Errorf("of each size: %d, %d", b.Of("1"), b.Of("7"))
		}
	}
}

// Two further blocks share the other half. They are the larger the more seldom harm was, and the more of the others
// are harmed.
func TestFurtherKernelBlocks(t *testing.T) {
	const alpha = 3e-5
	sizes := []string{"1", "3"}
	for _, c := range []struct{ harmed, through, others, each int }{
		{50, 0, 0, 5}, {25, 25, 0, 21}, {15, 35, 0, 40}, {15, 35, 5, 60}, {1, 49, 0, 60},
		{40, 10, 5, 22}, {35, 15, 3, 24},
	} {
		e := asked(sizes, &KernelBlock{strata: Pools{{Count{c.harmed + c.through, c.harmed}, Count{50, c.others}}}})
		if b := e.Block(alpha); b.Each != c.each || b.Alpha != alpha/4 {
			t.Errorf("%+v: %d each at %g", c, b.Each, b.Alpha)
		}
	}
	seldom := asked([]string{"1"}, &KernelBlock{strata: Pools{{Count{50, 1}, Count{50, 0}}}})
	if b := seldom.Block(alpha); b.Each != 120 {
		t.Errorf("of one size: %d each", b.Each)
	}
	exact := asked([]string{"1"}, &KernelBlock{strata: Pools{{Count{50, 50}, Count{50, 0}}}})
	if b := exact.Block(4 * Fisher(6, 6, 0, 6)); b.Each != 6 {
		t.Errorf("at the error bound: %d each", b.Each)
	}
	if b := exact.Block(4); b.Each != 2 {
		t.Errorf("at any error: %d each", b.Each)
	}
	if n := expected(10, 0.05, -2); n != 0 {
		t.Errorf("at least %d of 10", n)
	}
	convicting := &KernelBlock{Alpha: 0.1, strata: Pools{{Count{5, 5}, Count{5, 0}}}}
	if b := asked(sizes, convicting).Block(alpha); b != nil {
		t.Errorf("after one that convicts: %+v", b)
	}
	sum := 0.0
	var blocks []*KernelBlock
	for b := asked(sizes).Block(alpha); b != nil; b = asked(sizes, blocks...).Block(alpha) {
		blocks, sum = append(blocks, b), sum+b.Alpha
	}
	if len(blocks) != 3 || sum != alpha {
		t.Errorf("%d blocks spend %g", len(blocks), sum)
	}
}

// A block ends as soon as it cannot convict, or hardly can, and not before.
func TestKernelBlockHopeless(t *testing.T) {
	b := asked([]string{"1"}).Block(2e-5)
	for i := range 3 {
		if b.Hopeless() != (i == 2) {
			t.Errorf("after %d that got through: %v", i, b.Hopeless())
		}
		b.Add(KernelSample{"1", true, KernelUnharmed, 0})
	}
	b = asked([]string{"1"}).Block(2e-5)
	b.Add(KernelSample{"1", true, KernelVoid, 0})
	b.Add(KernelSample{"3", true, KernelUnharmed, 0})
	if b.Hopeless() || b.P() != 1 {
		t.Errorf("what does not count counts: %+v", b)
	}
	large := &KernelBlock{Each: 100, Alpha: 1e-5, sizes: []string{"1"}, strata: make(Pools, 1)}
	through := 0
	for ; through <= large.Each && !large.Hopeless(); through++ {
		large.Add(KernelSample{"1", true, KernelUnharmed, 0})
	}
	if through < 15 || through > 25 { // of which a third would have been harmed
		t.Errorf("a large block: %d that got through", through)
	}
}

// A suspicion stays if a quarter more of those that cross 0 are harmed than of the others, or if chance hardly explains
// the last block.
func TestKernelSuspicious(t *testing.T) {
	for _, c := range []struct {
		crossing, control Count
		block             Pool
		want              bool
	}{
		{Count{8, 2}, Count{8, 0}, Pool{}, true},
		{Count{8, 1}, Count{8, 0}, Pool{}, false},
		{Count{20, 4}, Count{20, 0}, Pool{}, false},
		{Count{8, 4}, Count{8, 2}, Pool{}, true},
		{Count{8, 8}, Count{8, 8}, Pool{}, false}, // none got through, at any number
		{Count{60, 12}, Count{60, 0}, Pool{Count{60, 12}, Count{60, 0}}, true},
		{Count{60, 6}, Count{60, 0}, Pool{Count{60, 6}, Count{60, 0}}, false}, // once in 73
		{Count{60, 4}, Count{60, 0}, Pool{Count{60, 4}, Count{60, 0}}, false},
	} {
		e := KernelEvidence{Blocks: []*KernelBlock{{strata: Pools{c.block}}}, Samples: slices.Concat(
			kernelSamples(c.crossing.Lost, "1", true, KernelSilent),
			kernelSamples(c.crossing.Sent-c.crossing.Lost, "1", true, KernelUnharmed),
			kernelSamples(c.control.Lost, "1", false, KernelSilent),
			kernelSamples(c.control.Sent-c.control.Lost, "1", false, KernelUnharmed),
			kernelSamples(50, "3", true, KernelUnharmed), // a size that is not harmed does not count
			kernelSamples(50, "1", true, KernelVoid))}
		if got := e.Suspicious(); got != c.want {
			t.Errorf("%v against %v: %v", c.crossing, c.control, got)
		}
	}
}

// No further block is asked for once those that cross 0 are hardly harmed a quarter more often than others.
func TestLastKernelBlock(t *testing.T) {
	for _, c := range []struct {
		crossing, control Count
		further           bool
	}{
		{Count{8, 8}, Count{8, 6}, true},
		{Count{8, 8}, Count{8, 7}, false},
		{Count{50, 5}, Count{50, 45}, false},
	} {
		e := KernelEvidence{Blocks: []*KernelBlock{{strata: Pools{{}}}}, Samples: slices.Concat(
			kernelSamples(c.crossing.Lost, "1", true, KernelSilent),
			kernelSamples(c.crossing.Sent-c.crossing.Lost, "1", true, KernelUnharmed),
			kernelSamples(c.control.Lost, "1", false, KernelSilent),
			kernelSamples(c.control.Sent-c.control.Lost, "1", false, KernelUnharmed))}
		if b := e.Block(1e-5); (b != nil) != c.further {
			t.Errorf("%v against %v: %+v", c.crossing, c.control, b)
		}
	}
}

// made plays a confirmation of one size in which connections are harmed at these rates.
func made(r *rand.Rand, alpha, crossing, control float64) KernelEvidence {
	e := asked([]string{"1"})
	e.Sizes = []string{"1"}
	for b := e.Block(alpha); b != nil; b = e.Block(alpha) {
		for i := 0; i < 2*b.Each && (i%4 != 0 || !b.Hopeless()); i++ {
			s := KernelSample{Size: "1", Crossing: i%2 == 0, Fate: KernelUnharmed}
			if rate := map[bool]float64{true: crossing, false: control}[s.Crossing]; r.Float64() < rate {
				s.Fate = KernelStalled
			}
			b.Add(s)
			e.Samples = append(e.Samples, s)
		}
		e.Blocks = append(e.Blocks, b)
	}
	return e
}

// Harm that comes in one of two or three is convicted. What harms all alike is not, at the stated error.
func TestKernelBlocksDecide(t *testing.T) {
	if testing.Short() {
		t.Skip("counts over many runs")
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		alpha, crossing, control float64
		runs, least, most        int // convictions
	}{
		{3e-5, 1, 0, 50, 50, 50}, {3e-5, 0.5, 0, 100, 95, 100}, {3e-5, 0.33, 0, 100, 90, 100},
		{0.05, 0.3, 0.3, 200, 0, 10}, {0.05, 0.03, 0.03, 200, 0, 10}, {0.05, 1, 1, 50, 0, 2},
	} {
		convicted := 0
		for range c.runs {
			if Kernel(made(r, c.alpha, c.crossing, c.control)).Alpha > 0 {
				convicted++
			}
		}
		if convicted < c.least || convicted > c.most {
			t.Errorf("%+v: %d convicted", c, convicted)
		}
	}
}
