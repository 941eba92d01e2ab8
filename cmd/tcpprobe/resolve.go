package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"

	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// maxAddresses bounds how many addresses of one name are probed.
const maxAddresses = 16

// resolve finds the addresses of HOST:PORT, by the system's resolver.
func resolve(ctx context.Context, target string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(target)
	if err != nil || host == "" {
		return nil, fmt.Errorf("target %q: want HOST:PORT, as in 10.1.2.3:443, [2001:db8::7]:443 or web.example.com:443", target)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("target %q: the port must be a number from 1 to 65535", target)
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w; check the name, or give an address", target, err)
	}
	var out []netip.AddrPort
	for _, a := range found {
		out = append(out, netip.AddrPortFrom(a.Unmap(), uint16(port)))
	}
	return out, nil
}

// reachable leaves out the addresses to which the kernel has no route, and says so.
func reachable(all []netip.AddrPort, device string, warnings io.Writer) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	var errs []error
	for _, a := range all {
		if _, err := wire.Lookup(a.Addr(), device); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", a.Addr(), err))
			continue
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no route to the target: %w", errors.Join(errs...))
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
