package route

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// ErrRejected means that this host's kernel does not take a flow's packets by a device.
var ErrRejected = errors.New("this host's kernel does not take them")

// Accepts returns an error unless the kernel takes what comes in for a flow by the device of that index. It wraps
// ErrRejected if the kernel does not take it, and then names the reverse path filter if that may be why: older kernels
// answer EXDEV then (fib_validate_source), newer ones EINVAL for whatever reason. Other errors say that it could not be
// asked.
func (k *Kernel) Accepts(local, remote netip.AddrPort, index int) error {
	request := nl.NewNetlinkRequest(unix.RTM_GETROUTE, 0)
	request.Sockets = k.sockets
	q := question{from: remote, to: local, in: index}
	q.put(request)
	messages, err := request.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWROUTE)
	filtered := errors.Is(err, unix.EXDEV) || errors.Is(err, unix.EINVAL)
	switch {
	case err == nil && len(messages) > 0:
		w, err := q.parse(messages[0])
		if err != nil || w.kind == unix.RTN_LOCAL {
			return err
		}
	case !filtered && !slices.ContainsFunc(refusals, func(e unix.Errno) bool { return errors.Is(err, e) }):
		return fmt.Errorf("asking the kernel whether it takes answers by device %d: %w", index, err)
	}
	link, err := k.handle.LinkByIndex(index)
	if err != nil {
		return fmt.Errorf("device %d, where %w", index, ErrRejected)
	}
	device := link.Attrs().Name
	if filter := reversePathFilter(device); filtered && local.Addr().Is4() && filter != "" {
		return fmt.Errorf("device %s, where %w: its reverse path filter may be why (%s)", device, ErrRejected, filter)
	}
	return fmt.Errorf("device %s, where %w", device, ErrRejected)
}

// refusals are the answers of an input route lookup for packets that the kernel drops for another reason than its
// reverse path filter: there is no way, or a rule forbids it.
var refusals = []unix.Errno{unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EACCES}

// reversePathFilter returns the setting that makes the kernel drop what it would not answer by the same device, or "".
// The greater of the two values holds.
func reversePathFilter(device string) string {
	name, value := "", 0
	for _, of := range []string{device, "all"} {
		text, err := os.ReadFile("/proc/sys/net/ipv4/conf/" + of + "/rp_filter")
		if err != nil {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && n > value {
			name, value = of, n
		}
	}
	if value == 0 {
		return ""
	}
	return fmt.Sprintf("net.ipv4.conf.%s.rp_filter is %d", name, value)
}
