package kernelconn

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
)

// Fate is how a connection ended.
type Fate string

// Fates. All but Acknowledged name what ended the connection, or what was waited for in vain.
const (
	Acknowledged Fate = "Acknowledged" // everything was
	Silent       Fate = "Silent"       // something was not acknowledged in time, and the connection still stood
	Reset        Fate = "Reset"        // by an RST
	Refused      Fate = "Refused"      // the SYN was answered by an RST
	TimedOut     Fate = "TimedOut"     // the kernel gave it up
	Unreachable  Fate = "Unreachable"  // by an ICMP error, or without a route
	Stopped      Fate = "Stopped"      // the context ended first
	// Overtaken: the data was to be in flight together with what is before it, and that was acknowledged before all of it
	// had left. So the connection asks nothing.
	Overtaken Fate = "Overtaken"
)

// fateOf is what an error of a socket says of its connection; "" for an error that is this host's own.
func fateOf(err error) Fate {
	switch {
	case errors.Is(err, errSilent):
		return Silent
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Stopped
	case errors.Is(err, unix.ECONNREFUSED):
		return Refused
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNABORTED):
		return Reset
	case errors.Is(err, unix.ETIMEDOUT):
		return TimedOut
	case errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.ENOPROTOOPT),
		errors.Is(err, unix.EPROTO), errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM),
		errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EHOSTDOWN), errors.Is(err, unix.EMSGSIZE):
		return Unreachable // EPERM: this host's own firewall drops what is sent
	}
	return ""
}
