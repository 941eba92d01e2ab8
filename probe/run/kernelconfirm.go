package run

import (
	"context"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// confirm asks again about sizes of which a connection was harmed that crosses 0.
func (k *kernelTest) confirm(ctx context.Context) {
	sizes := verdict.HarmedSizes(k.evidence.Samples)
	if len(sizes) == 0 || k.evidence.NotAsked != "" {
		return
	}
	b := verdict.NewKernelBlock(k.harmedAgain(ctx, sizes), k.alpha/2)
	if k.block(ctx, b) && !b.Convicts() && b.Worse() {
		k.block(ctx, b.Larger())
	}
}

// harmedAgain asks once more about each of some sizes, and returns those of which that one is harmed as well; all, if
// none is. One that only chance harmed would spoil a block.
func (k *kernelTest) harmedAgain(ctx context.Context, sizes []string) []string {
	if len(sizes) == 1 || len(sizes) == len(k.evidence.Sizes) {
		return sizes
	}
	var all []kernelQuestion
	for _, size := range kernelconn.Sizes() {
		if slices.Contains(sizes, size.String()) {
			all = append(all, kernelQuestion{size, true, true})
		}
	}
	var harmed []string
	k.each(ctx, all, func() bool { return false }, func(s verdict.KernelSample) {
		k.forgive(&s)
		k.evidence.Samples = append(k.evidence.Samples, s)
		if s.Harmed() {
			harmed = append(harmed, s.Size)
		}
	})
	if len(harmed) == 0 {
		return sizes
	}
	return harmed
}

// block makes the connections of one block, and reports whether it was finished. Where it is only about connections in
// flight, as many more cross 0 that are the same but wait: they tell whether the order decides.
func (k *kernelTest) block(ctx context.Context, b *verdict.KernelBlock) bool {
	var all []kernelQuestion
	for _, size := range kernelconn.Sizes() {
		for range b.Of(size.String()) {
			all = append(all, kernelQuestion{size, true, true}, kernelQuestion{size, false, true})
			if b.OnlyInFlight() {
				all = append(all, kernelQuestion{size.Waits(), true, true})
			}
		}
	}
	k.each(ctx, all, b.Hopeless, func(s verdict.KernelSample) {
		k.forgive(&s)
		k.evidence.Samples = append(k.evidence.Samples, s)
		b.Add(s)
	})
	k.evidence.Cut = ctx.Err() != nil && !b.Convicts()
	k.evidence.Blocks = append(k.evidence.Blocks, b)
	return ctx.Err() == nil
}
