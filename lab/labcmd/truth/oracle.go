package truth

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
)

// Sizes are what the oracle's connections send from the number 0 on.
var Sizes = []kernelconn.Size{{Bytes: 1}, {Bytes: 3}, {Bytes: 100}, {Segments: 1}}

// Numbers of connections: of each size, crossing 0 and not, in one round and in all; and at the same time.
const (
	aRound = 8
	atMost = 40
	atOnce = 16
)

// A connection has died for the oracle when four repetitions of a segment were lost and the longest delay that the
// switch knows here is over, or when that has lasted.
const (
	repetitions = 4
	delayed     = 3500 * time.Millisecond
	patience    = 7 * time.Second
)

// Oracle makes ordinary connections of the client's kernel to the lab's server. Each goes to another address of the
// server, so that what is left of one does not meet another.
type Oracle struct {
	Sufferings []*Suffering // one for each size

	network *lab.Lab
	family  lab.Family
	port    uint16
	sizes   []kernelconn.Size
	mu      sync.Mutex
	made    int // connections
}

// NewOracle returns an oracle that has made no connection yet.
func NewOracle(l *lab.Lab, f lab.Family, sizes []kernelconn.Size) *Oracle {
	o := &Oracle{network: l, family: f, port: lab.Echo.Port(), sizes: sizes}
	for _, s := range sizes {
		o.Sufferings = append(o.Sufferings, &Suffering{Size: s.String()})
	}
	return o
}

// Measure makes connections of each size until it is decided what they suffer, or until there have been enough.
func (o *Oracle) Measure(ctx context.Context) error {
	for made := 0; made < atMost; made += aRound {
		var open []int
		for i, s := range o.Sufferings {
			if made == 0 || s.State() == Undecided {
				open = append(open, i)
			}
		}
		if err := o.round(ctx, open, aRound); err != nil || len(open) == 0 {
			return err
		}
	}
	return nil
}

// Confirm makes many more connections of these sizes.
func (o *Oracle) Confirm(ctx context.Context, sizes []int) error { return o.round(ctx, sizes, atMost) }

// question is one connection to make.
type question struct {
	size     int
	crossing bool
}

// round makes n connections of each size that cross 0 and n that do not, in turn.
func (o *Oracle) round(ctx context.Context, sizes []int, n int) error {
	queue := make(chan question)
	errs := make([]error, atOnce)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			for q := range queue {
				if errs[i] == nil {
					errs[i] = o.ask(ctx, q)
				}
			}
		})
	}
	for range n {
		for _, size := range sizes {
			queue <- question{size, true}
			queue <- question{size, false}
		}
	}
	close(queue)
	all.Wait()
	return errors.Join(errors.Join(errs...), ctx.Err())
}

// ask makes one connection from the client and counts what became of it.
func (o *Oracle) ask(ctx context.Context, q question) error {
	o.mu.Lock()
	to := netip.AddrPortFrom(o.network.DistantAddr(o.family, o.made), o.port)
	o.made++
	o.mu.Unlock()
	var r kernelconn.Result
	err := o.network.Client().Do(func() (err error) {
		r, err = kernelconn.Ask(ctx, kernelconn.Question{
			Source: o.network.ClientAddr(o.family), Remote: to, Size: o.sizes[q.size], Crossing: q.crossing,
			Payload: request, Patience: patience,
			Enough: func(again int, waited time.Duration) bool { return again >= repetitions && waited >= delayed },
		})
		return err
	})
	if err != nil {
		return err
	}
	if r.Remains != nil {
		r.Remains.Release()
	}
	if r.Fate == kernelconn.Stopped {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.Sufferings[q.size]
	if q.crossing {
		s.Crossing.add(r)
	} else {
		s.Control.add(r)
	}
	return nil
}

// request is what the connections carry.
func request(n int) []byte { return bytes.Repeat([]byte("x"), n) }
