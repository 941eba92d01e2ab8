package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
)

// peerPort is where the peer listens, on every address of the lab's server.
const peerPort = 7100

// peer is the server of the bench: it accepts, reads nothing, and closes each connection long after its
// exchange is over. It does so little that it is the tools that are measured.
type peer struct {
	socket int
	stop   chan struct{}
	done   chan struct{}
}

const (
	acceptPause = 5 * time.Millisecond // what came meanwhile is accepted at once, as a busy server does
	heldOpen    = 4096                 // connections
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
	var held [heldOpen]int // 0: none; a ring
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
