package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Server is a way in which a server answers.
type Server string

// The reference servers. All use the kernel's TCP stack.
const (
	Echo          Server = "echo"            // sends everything back
	Sink          Server = "sink"            // reads everything and sends nothing
	Banner        Server = "banner"          // sends a greeting at once, then reads
	BadRequest    Server = "bad-request"     // answers 400 to the first bytes and closes
	HalfClose     Server = "half-close"      // shuts its sending side down at once and keeps reading
	CloseOnAccept Server = "close-on-accept" // closes at once
	Deferred      Server = "deferred"        // an echo server with TCP_DEFER_ACCEPT: it accepts only when data has arrived
	// an application that does not accept, with a short queue: the third connection gets no answer
	NeverAccepts Server = "never-accepts"
)

// Servers has all reference servers. Their ports are the same in every lab.
var Servers = []Server{Echo, Sink, Banner, BadRequest, HalfClose, CloseOnAccept, Deferred, NeverAccepts,
	ShutdownOnAccept, CloseAfterText, HalfCloseAfter, ShutdownAfterText, HTTPClose,
	HTTPHalfClose, HTTPShutdown, HTTPLinger}

// stalledBacklog is the backlog of NeverAccepts. The kernel queues one connection more.
const stalledBacklog = 1

// Port returns the port on which the server listens, on every address of the lab's server.
func (s Server) Port() uint16 {
	for i, k := range Servers {
		if k == s {
			return uint16(7001 + i)
		}
	}
	return 0
}

// Target returns the address and port to probe for a server.
func (l *Lab) Target(f Family, s Server) netip.AddrPort {
	return netip.AddrPortFrom(l.TargetAddr(f), s.Port())
}

// listener is one server for one family.
type listener struct {
	net.Listener
	kind  Server
	mu    sync.Mutex
	conns map[net.Conn]bool
	done  sync.WaitGroup
}

// Serve starts all reference servers in the namespace for both families. They run until stop is called.
func (n *Namespace) Serve() (stop func() error, err error) {
	var all []*listener
	stop = func() error {
		var errs []error
		for _, l := range all {
			errs = append(errs, l.stop())
		}
		return errors.Join(errs...)
	}
	for _, kind := range Servers {
		for _, network := range []string{"tcp4", "tcp6"} {
			l, err := n.listen(kind, network)
			if err != nil {
				return nil, errors.Join(err, stop())
			}
			all = append(all, l)
		}
	}
	for _, l := range all {
		l.done.Go(l.accept)
	}
	return stop, nil
}

// keepAlive makes servers send keep-alives often, so that tests show that these are not taken for answers.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 100}

func (n *Namespace) listen(kind Server, network string) (*listener, error) {
	l := &listener{kind: kind, conns: map[net.Conn]bool{}}
	config := net.ListenConfig{KeepAliveConfig: keepAlive, Control: func(_, _ string, c syscall.RawConn) error {
		if kind != Deferred {
			return nil
		}
		return control(c, func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 5) })
	}}
	err := n.Do(func() (err error) {
		l.Listener, err = config.Listen(context.Background(), network, fmt.Sprintf(":%d", kind.Port()))
		return err
	})
	if err == nil && kind == NeverAccepts {
		err = l.shortenQueue()
	}
	if err != nil {
		return nil, fmt.Errorf("starting the %s server on %s: %w", kind, network, err)
	}
	return l, nil
}

// shortenQueue reduces the backlog. Package net sets its own; a second listen(2) changes it.
func (l *listener) shortenQueue() error {
	raw, err := l.Listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, func(fd int) error { return unix.Listen(fd, stalledBacklog) })
}

func control(c syscall.RawConn, f func(fd int) error) error {
	var inner error
	err := c.Control(func(fd uintptr) { inner = f(int(fd)) })
	return errors.Join(err, inner)
}

func (l *listener) accept() {
	if l.kind == NeverAccepts {
		return
	}
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // error of a single connection, such as ECONNABORTED
		}
		l.done.Go(func() {
			defer l.forget(c)
			if l.remember(c) {
				l.kind.handle(c.(*net.TCPConn))
			}
		})
	}
}

// remember registers c so that stop can close it. It returns false if the server has stopped already.
func (l *listener) remember(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		return false
	}
	l.conns[c] = true
	return true
}

func (l *listener) forget(c net.Conn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	c.Close()
}

func (l *listener) stop() error {
	err := l.Close()
	l.mu.Lock()
	for c := range l.conns {
		c.Close()
	}
	l.conns = nil
	l.mu.Unlock()
	l.done.Wait()
	return err
}
