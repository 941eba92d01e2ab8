package targetwatch

import (
	"context"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What looking at targets may cost the API server, and the manager's memory.
const (
	readsPerSecond = 500
	readBurst      = 50
	readsAtOnce    = 32
)

// pacedReader bounds the rate of reads, and how many wait for an answer.
type pacedReader struct {
	client.Reader
	pace  *rate.Limiter
	slots chan struct{}
}

func newPacedReader(live client.Reader, pace *rate.Limiter) *pacedReader {
	return &pacedReader{Reader: live, pace: pace, slots: make(chan struct{}, readsAtOnce)}
}

func (p *pacedReader) Get(ctx context.Context, key types.NamespacedName, o client.Object,
	opts ...client.GetOption) error {
	return p.read(ctx, func() error { return p.Reader.Get(ctx, key, o, opts...) })
}

func (p *pacedReader) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return p.read(ctx, func() error { return p.Reader.List(ctx, list, opts...) })
}

func (p *pacedReader) read(ctx context.Context, read func() error) error {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := p.pace.Wait(ctx); err != nil {
		return err
	}
	return read()
}
