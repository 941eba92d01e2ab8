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

// Server is a way in which a peer can answer, named after what a prober meets.
type Server string

// The reference servers. All run on the kernel's own stack.
const (
	Echo          Server = "echo"            // sends everything back
	Sink          Server = "sink"            // reads everything and says nothing
	Banner        Server = "banner"          // greets at once, then reads
	BadRequest    Server = "bad-request"     // answers 400 to the first bytes and closes
	HalfClose     Server = "half-close"      // shuts its sending side down at once, and reads on
	CloseOnAccept Server = "close-on-accept" // closes at once
	Deferred      Server = "deferred"        // TCP_DEFER_ACCEPT: an echo that accepts only once data has come
	// a stalled application with a short queue: the third connection gets no answer
	NeverAccepts Server = "never-accepts"
)

// Servers are all of them. Their ports are the same in every lab.
var Servers = []Server{Echo, Sink, Banner, BadRequest, HalfClose, CloseOnAccept, Deferred, NeverAccepts,
	ShutdownOnAccept, CloseAfterText, HalfCloseAfter, ShutdownAfterText, HTTPClose,
	HTTPHalfClose, HTTPShutdown, HTTPLinger}

// stalledBacklog is the backlog of NeverAccepts; the kernel queues one connection more.
const stalledBacklog = 1

// Port is where the server listens, on every address of the lab's server.
func (s Server) Port() uint16 {
	for i, k := range Servers {
		if k == s {
			return uint16(7001 + i)
		}
	}
	return 0
}

// Target is a server as the client has to probe it.
func (l *Lab) Target(f Family, s Server) netip.AddrPort {
	return netip.AddrPortFrom(l.TargetAddr(f), s.Port())
}

// listener is one server on one family.
type listener struct {
	net.Listener
	kind  Server
	mu    sync.Mutex
	conns map[net.Conn]bool
	done  sync.WaitGroup
}

// Serve starts all reference servers in the namespace, on both families; they run until the returned
// function has stopped them.
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

// keepAlive is how often a server wants to know whether its client is still there: often, so that nobody takes the
// question for an answer.
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

// shortenQueue makes the queue short: listening again changes the backlog (listen(2)), which package net sets to its
// own.
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
			continue // one connection's error, such as ECONNABORTED
		}
		l.done.Go(func() {
			defer l.forget(c)
			if l.remember(c) {
				l.kind.handle(c.(*net.TCPConn))
			}
		})
	}
}

// remember registers c, so that stop can end it, unless the server has stopped already.
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
