package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

// relay carries every frame between the two halves of a divided switch, when and as often as its
// impairments say. The kernel of the lab's host may lack netem; this needs only tap devices.
//
//	client port [br0] nearTap -- relay -- farTap [br1] server port
type relay struct {
	near, far *os.File
	done      sync.WaitGroup
	failed    [2]error // why a direction stopped, other than by Close
}

const (
	nearTap   = "near"
	farTap    = "far"
	farBridge = "br1"
)

// tapQueue is how many frames a tap holds while the relay is not scheduled. Overflow would look like loss.
const tapQueue = 16384

// startRelay divides the switch whose namespace the thread is in. in and out are what the packets meet
// on the way to and from the server.
func startRelay(in, out []Impairment) (_ *relay, err error) {
	r := &relay{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("starting the switch's relay: %w", err), r.stop())
		}
	}()
	if err = buildBridge(farBridge); err != nil {
		return nil, err
	}
	if r.near, err = openTap(nearTap, bridge); err != nil {
		return nil, err
	}
	if r.far, err = openTap(farTap, farBridge); err != nil {
		return nil, err
	}
	if err = enslave(ServerPort, farBridge); err != nil {
		return nil, err
	}
	r.done.Go(func() { r.failed[0] = carry(r.near, r.far, in) })
	r.done.Go(func() { r.failed[1] = carry(r.far, r.near, out) })
	return r, nil
}

func openTap(name, master string) (*os.File, error) {
	tap := &netlink.Tuntap{LinkAttrs: netlink.NewLinkAttrs(), Mode: netlink.TUNTAP_MODE_TAP, Flags: netlink.TUNTAP_NO_PI, Queues: 1, NonPersist: true}
	tap.Name = name
	if err := netlink.LinkAdd(tap); err != nil {
		return nil, fmt.Errorf("making tap device %s: %w; is /dev/net/tun there?", name, err)
	}
	err := errors.Join(netlink.LinkSetTxQLen(tap, tapQueue), enslave(name, master), up(name))
	if err != nil {
		return nil, errors.Join(err, tap.Fds[0].Close())
	}
	return tap.Fds[0], nil
}

// carry moves frames from one tap to the other until from is closed.
func carry(from, to *os.File, impairments []Impairment) error {
	t := &timetable{impairments: impairments, chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	buffer := make([]byte, 65536)
	for {
		if err := from.SetReadDeadline(t.next()); err != nil {
			return ignoreClosed(err)
		}
		n, err := from.Read(buffer)
		now := time.Now()
		switch {
		case err == nil:
			t.arrive(now, append([]byte(nil), buffer[:n]...))
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return ignoreClosed(err)
		}
		for f := t.depart(now); f != nil; f = t.depart(now) {
			if _, err := to.Write(f); err != nil {
				return ignoreClosed(err)
			}
		}
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// stop makes one switch of the two halves again, in the thread's namespace. Packets that wait are lost.
func (r *relay) stop() error {
	errs := []error{enslave(ServerPort, bridge)}
	for _, tap := range []*os.File{r.near, r.far} {
		if tap != nil {
			errs = append(errs, tap.Close())
		}
	}
	r.done.Wait()
	if br, err := netlink.LinkByName(farBridge); err == nil {
		errs = append(errs, netlink.LinkDel(br))
	}
	return errors.Join(append(errs, r.failed[:]...)...)
}
