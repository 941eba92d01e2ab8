package lab

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"

	"github.com/tcpprobe/tcpprobe/lab/fault"
)

// emulator copies every frame between the two halves of a divided switch, with the delays and duplicates of its
// impairments. The lab's kernel may lack netem. The emulator needs tap devices only.
//
//	client port [br0] nearTap -- emulator -- farTap [br1] server port
type emulator struct{ *forwarder }

const (
	nearTap   = "near"
	farTap    = "far"
	farBridge = "br1"
)

// startEmulator divides the switch whose namespace the thread is in. in and out are the impairments on the way to and
// from the server.
func startEmulator(in, out []fault.Impairment) (_ *emulator, err error) {
	r := &emulator{&forwarder{}}
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
	r.start(in, out)
	return r, nil
}

func openTap(name, master string) (*os.File, error) {
	tap, err := openTuntap(name, netlink.TUNTAP_MODE_TAP)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(enslave(name, master), up(name)); err != nil {
		return nil, errors.Join(err, tap.Close())
	}
	return tap, nil
}

// stop joins the two halves again, in the thread's namespace. Packets in the queues are lost.
func (r *emulator) stop() error {
	errs := []error{enslave(ServerPort, bridge), r.forwarder.stop()}
	if br, err := netlink.LinkByName(farBridge); err == nil {
		errs = append(errs, netlink.LinkDel(br))
	}
	return errors.Join(errs...)
}
