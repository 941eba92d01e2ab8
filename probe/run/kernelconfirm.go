package run

import (
	"context"

	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// confirm asks again about sizes of which a connection was harmed that crosses 0.
func (k *kernelTest) confirm(ctx context.Context) {
	if len(verdict.HarmedSizes(k.evidence.Samples)) == 0 || k.evidence.NotAsked != "" {
		return
	}
	for b := k.evidence.Block(k.alpha); b != nil; b = k.evidence.Block(k.alpha) {
		if !k.block(ctx, b) {
			return
		}
	}
}

// block makes the connections of one block, and reports whether it was finished.
func (k *kernelTest) block(ctx context.Context, b *verdict.KernelBlock) bool {
	k.each(ctx, questions(b), b.Hopeless, func(s verdict.KernelSample) {
		k.forgive(&s)
		k.evidence.Samples = append(k.evidence.Samples, s)
		b.Add(s)
	})
	k.evidence.Cut = ctx.Err() != nil && !b.Convicts()
	k.evidence.Blocks = append(k.evidence.Blocks, b)
	return ctx.Err() == nil
}

// questions are those of a block. Beside connections in flight there are as many that cross 0 and are the same but
// wait: they tell whether the order decides.
func questions(b *verdict.KernelBlock) (all []kernelQuestion) {
	waits := b.Of(report.SizeSeveral) > 0
	for _, size := range kernelconn.Sizes() {
		for range b.Of(size.String()) {
			all = append(all, kernelQuestion{size, true, true}, kernelQuestion{size, false, true})
			if size.Order == kernelconn.InFlight && !waits {
				all = append(all, kernelQuestion{size.Waits(), true, true})
			}
		}
	}
	return all
}
