package run

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tcpprobe/tcpprobe/probe/ledger"
)

// ResetOrphans resets the flows that a killed worker left. For each one it reserves the source port again, sends an
// RST, and checks that the peer accepted it. It returns how many peers confirmed. The device is that of Options.
func ResetOrphans(entries []ledger.Entry, device string) (reset int, err error) {
	h := &host{device: device, run: context.Background()}
	defer h.close()
	ended := make([]bool, len(entries))
	errs := make([]error, len(entries))
	var all sync.WaitGroup
	for i, e := range entries {
		all.Go(func() { ended[i], errs[i] = h.endOrphan(e) })
	}
	all.Wait()
	for _, yes := range ended {
		if yes {
			reset++
		}
	}
	return reset, errors.Join(errs...)
}

func (h *host) endOrphan(e ledger.Entry) (bool, error) {
	c, err := h.flows().Resume(context.Background(), e)
	if err != nil {
		return false, fmt.Errorf("take over flow %s to %s: %w", e.Local, e.Remote, err)
	}
	end, err := c.End(context.Background())
	return end.Confirmed, err
}
