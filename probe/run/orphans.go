package run

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/ledger"
)

// ResetOrphans resets the flows that a killed worker left. For each one it reserves the source port again, sends an
// RST, and checks that the peer accepted it. It returns how many peers confirmed, and how many showed that they hold
// theirs still. The device is that of Options.
func ResetOrphans(entries []ledger.Entry, device string) (reset, left int, err error) {
	h := &host{device: device, run: context.Background()}
	defer h.close()
	ends := make([]conn.Ending, len(entries))
	errs := make([]error, len(entries))
	var all sync.WaitGroup
	for i, e := range entries {
		all.Go(func() { ends[i], errs[i] = h.endOrphan(e) })
	}
	all.Wait()
	for _, e := range ends {
		switch {
		case e.Confirmed:
			reset++
		case e.Left:
			left++
		}
	}
	return reset, left, errors.Join(errs...)
}

func (h *host) endOrphan(e ledger.Entry) (conn.Ending, error) {
	c, err := h.flows().Resume(context.Background(), e)
	if err != nil {
		return conn.Ending{}, fmt.Errorf("take over flow %s to %s: %w", e.Local, e.Remote, err)
	}
	return c.End(context.Background())
}
