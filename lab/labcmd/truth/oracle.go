package truth

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
)

// Sizes are what the oracle's connections send from the number 0 on, and whether what is before 0 is in flight then.
var Sizes = []kernelconn.Size{{Bytes: 1}, {Bytes: 3}, {Bytes: 100}, {Segments: 1}, {Segments: 3},
	{Segments: 3, Order: kernelconn.InFlight}, {Segments: 3, Order: kernelconn.Across}}

// Numbers of connections: of each size, crossing 0 and not, in one round and in all; and at the same time.
const (
	aRound = 8
	atMost = 40
	atOnce = 16
	more   = 16 // where a verdict seems to contradict them
	alone  = 4
)

// apart is how far apart connections are that come alone.
const apart = 1200 * time.Millisecond

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

	confirmed []int // sizes
}

// NewOracle returns an oracle that has made no connection yet.
func NewOracle(l *lab.Lab, f lab.Family, sizes []kernelconn.Size) *Oracle {
	o := &Oracle{network: l, family: f, port: lab.Echo.Port(), sizes: sizes}
	for _, s := range sizes {
		o.Sufferings = append(o.Sufferings, &Suffering{Size: s.String(), several: s.Segments > 1,
			across: s.Order == kernelconn.Across})
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
		if made == 0 {
			o.forget()
		}
	}
	return nil
}

// forget leaves out sizes of which no connection told anything: on a short path what is before 0 is acknowledged before
// the rest has left, and nothing is in flight.
func (o *Oracle) forget() {
	var sizes []kernelconn.Size
	o.Sufferings = slices.DeleteFunc(o.Sufferings, func(s *Suffering) bool { return s.void() })
	for _, size := range o.sizes {
		if slices.ContainsFunc(o.Sufferings, func(s *Suffering) bool { return s.Size == size.String() }) {
			sizes = append(sizes, size)
		}
	}
	o.sizes = sizes
}

// MeasureAlone makes connections that cross 0 one at a time, where nearly all are harmed that cross it together: a
// device may allow so many in a second. One that is harmed as well is enough.
func (o *Oracle) MeasureAlone(ctx context.Context) error {
	size := slices.IndexFunc(o.Sufferings, func(s *Suffering) bool { return s.nearlyAll() })
	for i := 0; size >= 0 && i < alone && o.Sufferings[size].Alone.Harmed() == 0; i++ {
		select {
		case <-time.After(apart):
		case <-ctx.Done():
			return ctx.Err()
		}
		r, err := o.connect(ctx, question{size, true})
		if err != nil {
			return err
		}
		o.Sufferings[size].Alone.add(r)
	}
	return nil
}

// Confirm makes more connections of a size that seems to contradict a verdict, once.
func (o *Oracle) Confirm(ctx context.Context, size int) error {
	if slices.Contains(o.confirmed, size) {
		return nil
	}
	o.confirmed = append(o.confirmed, size)
	return o.round(ctx, []int{size}, more)
}

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

// ask makes one connection and counts what became of it.
func (o *Oracle) ask(ctx context.Context, q question) error {
	r, err := o.connect(ctx, q)
	if err != nil || r.Fate == kernelconn.Stopped || r.Fate == kernelconn.Overtaken {
		return err
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

// connect makes one connection from the client.
func (o *Oracle) connect(ctx context.Context, q question) (r kernelconn.Result, err error) {
	o.mu.Lock()
	to := netip.AddrPortFrom(o.network.DistantAddr(o.family, o.made), o.port)
	o.made++
	o.mu.Unlock()
	err = o.network.Client().Do(func() (err error) {
		r, err = kernelconn.Ask(ctx, kernelconn.Question{
			Remote: to, Size: o.sizes[q.size], Crossing: q.crossing,
			Payload: request, Patience: patience,
			Enough: func(again int, waited time.Duration) bool { return again >= repetitions && waited >= delayed },
		})
		return err
	})
	if r.Remains != nil {
		r.Remains.Release()
	}
	return r, err
}

// request is what the connections carry.
func request(n int) []byte { return bytes.Repeat([]byte("x"), n) }
