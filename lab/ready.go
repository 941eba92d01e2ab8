package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// readyTimeout is how long the wait for carrier may take. Usually it takes a few milliseconds.
const readyTimeout = 10 * time.Second

// awaitReady waits until every cable has carrier, which the kernel notices in the background.
func (l *Lab) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		err := errors.Join(l.client.Do(devicesUp), l.network.Do(devicesUp), l.server.Do(devicesUp),
			l.client.Do(addressesLocal), l.server.Do(addressesLocal))
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the lab's network did not come up: %w: %w", context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}

// devicesUp returns an error about the first device of the thread's namespace, except lo, that is not up.
func devicesUp() error {
	devices, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("listing devices: %w", err)
	}
	for _, d := range devices {
		a := d.Attrs()
		_, isCable := d.(*netlink.Veth)
		ready := a.OperState == netlink.OperUp || !isCable && a.OperState == netlink.OperUnknown // other devices stay Unknown
		if a.Flags&net.FlagLoopback == 0 && !ready {
			return fmt.Errorf("device %s is %s", a.Name, a.OperState)
		}
	}
	return nil
}

// addressesLocal returns an error about an IPv6 address of the thread's namespace that packets do not reach yet. The
// kernel adds its local route in the background.
func addressesLocal() error {
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_V6)
	if err != nil {
		return fmt.Errorf("listing addresses: %w", err)
	}
	for _, a := range addresses {
		if a.IP.IsLinkLocalUnicast() {
			continue
		}
		routes, err := netlink.RouteGet(a.IP)
		if err != nil || len(routes) == 0 || routes[0].Type != unix.RTN_LOCAL {
			return fmt.Errorf("address %s is not in use yet: %v", a.IP, err) //nolint:errorlint // err may be nil
		}
	}
	return nil
}
