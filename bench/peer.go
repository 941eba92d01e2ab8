package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
)

// peerPort is the port on which the peer listens, on every address of the lab's server.
const peerPort = 7100

// peer is the benchmark's server. It accepts connections, reads nothing, and closes each one long after its exchange.
// It does so little work that the tools limit the rate.
type peer struct {
	socket int
	stop   chan struct{}
	done   chan struct{}
}

const (
	acceptPause = 5 * time.Millisecond // then accepts all waiting connections, as a busy server does
	heldOpen    = 4096                 // number of connections
)

func startPeer(n *lab.Namespace) (*peer, error) {
	p := &peer{stop: make(chan struct{}), done: make(chan struct{})}
	if err := n.Do(p.listen); err != nil {
		return nil, fmt.Errorf("starting the bench's peer: %w", err)
	}
	go p.serve()
	return p, nil
}

func (p *peer) listen() (err error) {
	p.socket, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_TCP)
	if err != nil {
		return err
	}
	if err = unix.Bind(p.socket, &unix.SockaddrInet4{Port: peerPort}); err == nil {
		err = unix.Listen(p.socket, 1<<16)
	}
	if err != nil {
		return errors.Join(err, unix.Close(p.socket))
	}
	return nil
}

func (p *peer) serve() {
	defer close(p.done)
	tick := time.NewTicker(acceptPause)
	defer tick.Stop()
	var held [heldOpen]int // ring of file descriptors; 0: none
	for at := 0; ; {
		fd, _, err := unix.Accept4(p.socket, unix.SOCK_CLOEXEC)
		if err == nil {
			closeHeld(held[at])
			held[at], at = fd, (at+1)%heldOpen
			continue
		}
		select {
		case <-tick.C:
		case <-p.stop:
			for _, fd := range held {
				closeHeld(fd)
			}
			return
		}
	}
}

func closeHeld(fd int) {
	if fd > 0 {
		unix.Close(fd)
	}
}

func (p *peer) close() error {
	close(p.stop)
	<-p.done
	return unix.Close(p.socket)
}
