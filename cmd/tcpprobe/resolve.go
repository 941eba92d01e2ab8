package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"

	"github.com/tcpprobe/tcpprobe/probe/route"
)

// maxAddresses is how many addresses of one name are probed.
const maxAddresses = 16

// resolve returns the addresses of HOST:PORT from the system's resolver.
func resolve(ctx context.Context, target string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(target)
	if err != nil || host == "" {
		return nil, fmt.Errorf("target %q: want HOST:PORT, as in 10.1.2.3:443, [2001:db8::7]:443 or web.example.com:443",
			target)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("target %q: the port must be a number from 1 to 65535", target)
	}
	found, err := addresses(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w; check the name, or give an address", target, err)
	}
	var out []netip.AddrPort
	for _, a := range found {
		out = append(out, netip.AddrPortFrom(a.Unmap(), uint16(port)))
	}
	return out, nil
}

func addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil { // the resolver would change some addresses
		return []netip.Addr{a}, nil
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// unfit returns why an address cannot be probed from any host; "" if it can.
func unfit(a netip.Addr) string {
	switch {
	case a.IsUnspecified():
		return "it is no host's address; give 127.0.0.1 or ::1 for this machine"
	case a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "it is the address of many hosts, and TCP speaks to one"
	case a.Is6() && a.IsLinkLocalUnicast():
		return "link-local IPv6 addresses cannot be probed; give another address of that host"
	}
	return ""
}

// reachable returns the addresses that can be probed from this machine, and prints a warning for each other one.
func reachable(all []netip.AddrPort, device string, warnings io.Writer) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	var errs []error
	if device != "" {
		if _, err := net.InterfaceByName(device); err != nil {
			return nil, fmt.Errorf("--source-interface %s: this machine has no such network device (see ip link)", device)
		}
	}
	for _, a := range all {
		if why := unfit(a.Addr()); why != "" {
			errs = append(errs, fmt.Errorf("%s: %s", a.Addr(), why))
			continue
		}
		if _, err := route.Lookup(a, device); err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the target cannot be probed: %w", errors.Join(errs...))
	}
	if len(errs) > 0 {
		fmt.Fprintf(warnings, "tcpprobe: not probed: %v\n", errors.Join(errs...))
	}
	if len(out) > maxAddresses {
		fmt.Fprintf(warnings, "tcpprobe: probing the first %d of %d addresses\n", maxAddresses, len(out))
		out = out[:maxAddresses]
	}
	return out, nil
}
