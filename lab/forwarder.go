package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// forwarder copies packets between two tap or tun devices in both directions until it is stopped.
type forwarder struct {
	near, far *os.File
	stopping  atomic.Bool
	done      sync.WaitGroup
	failed    [2]error // error that stopped a direction before stop was called
}

// start starts both directions. in and out are the impairments from near to far and back.
func (f *forwarder) start(in, out []fault.Impairment) {
	var shared *acknowledged
	if asksAcknowledged(in) || asksAcknowledged(out) {
		shared = &acknowledged{}
	}
	var wraps *wrapTable
	if errsAtWrap(in) || errsAtWrap(out) {
		wraps = &wrapTable{}
	}
	f.done.Go(func() { f.failed[0] = f.failure(forward(f.near, f.far, in, wraps, shared)) })
	f.done.Go(func() { f.failed[1] = f.failure(forward(f.far, f.near, out, wraps, shared)) })
}

// failure returns the error that stopped a direction, or nil if it is due to stop, which closes the devices. A closed
// file makes each kind of call return another error.
func (f *forwarder) failure(err error) error {
	if f.stopping.Load() {
		return nil
	}
	return err
}

// stop closes the devices, which removes them.
func (f *forwarder) stop() error {
	f.stopping.Store(true)
	var errs []error
	for _, end := range []*os.File{f.near, f.far} {
		if end != nil {
			errs = append(errs, end.Close())
		}
	}
	f.done.Wait()
	return errors.Join(append(errs, f.failed[:]...)...)
}

// forward copies frames from one device to the other until one of them is closed or fails. What it answers itself goes
// back.
func forward(from, to *os.File, impairments []fault.Impairment, wraps *wrapTable, shared *acknowledged) error {
	t := &delayQueue{impairments: impairments, wraps: wraps, acknowledged: shared,
		chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	buffer := make([]byte, 65536)
	for {
		if err := from.SetReadDeadline(t.next()); err != nil {
			return err
		}
		n, err := from.Read(buffer)
		now := time.Now()
		switch {
		case err == nil:
			t.arrive(now, append([]byte(nil), buffer[:n]...))
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		}
		for _, f := range t.answers {
			if _, err := from.Write(f); err != nil {
				return err
			}
		}
		t.answers = nil
		for f := t.depart(now); f != nil; f = t.depart(now) {
			if _, err := to.Write(f); err != nil {
				return err
			}
		}
	}
}

// tapQueue is how many frames a device queues while the forwarder is not scheduled. An overflow would look like packet
// loss.
const tapQueue = 16384

// openTuntap makes a tap or tun device in the thread's namespace. Closing the file removes it.
func openTuntap(name string, mode netlink.TuntapMode) (*os.File, error) {
	device := &netlink.Tuntap{LinkAttrs: attributes(name, nil), Mode: mode, Flags: netlink.TUNTAP_NO_PI, Queues: 1,
		NonPersist: true}
	if err := addWhenFree(device); err != nil {
		return nil, fmt.Errorf("making device %s: %w; is /dev/net/tun there?", name, err)
	}
	if err := netlink.LinkSetTxQLen(device, tapQueue); err != nil {
		return nil, errors.Join(err, device.Fds[0].Close())
	}
	return device.Fds[0], nil
}

// addWhenFree makes a device, once one of the same name is gone that was closed just before: a process that is being
// started holds its file for a moment.
func addWhenFree(device *netlink.Tuntap) (err error) {
	const tries, pause = 200, 10 * time.Millisecond
	for range tries { // the library's error wraps none
		if err = netlink.LinkAdd(device); err == nil || !strings.Contains(err.Error(), unix.EBUSY.Error()) {
			return err
		}
		time.Sleep(pause)
	}
	return err
}

// connectTunnel connects a host to its port of the router by layer-3 devices: there are no Ethernet addresses, as with
// WireGuard.
//
//	host's device (tun) -- forwarder -- port of the router (tun)
func (l *Lab) connectTunnel(h host) error {
	tunnel := func(name string, end **os.File) func() error {
		return func() (err error) {
			if *end, err = openTuntap(name, netlink.TUNTAP_MODE_TUN); err != nil {
				return err
			}
			return errors.Join(up("lo"), up(name))
		}
	}
	l.tunnel = &forwarder{}
	if err := h.Do(tunnel(h.device, &l.tunnel.near)); err != nil {
		return err
	}
	if err := l.network.Do(tunnel(h.port, &l.tunnel.far)); err != nil {
		return err
	}
	l.tunnel.start(nil, nil)
	return nil
}
