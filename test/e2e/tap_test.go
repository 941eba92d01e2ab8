//go:build e2e

package e2e

import (
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tap sees all IPv4 TCP segments to one address on every device of a node.
type tap struct {
	to   netip.Addr
	mu   sync.Mutex
	last time.Time
	seen int
}

// tapNode taps a node's network until the test ends.
func tapNode(t *testing.T, namespace string, to netip.Addr) *tap {
	t.Helper()
	const allProtocols = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL&0xff<<8 // in network byte order
	var socket int
	var err error
	inside(namespace, func() {
		socket, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, allProtocols)
	})
	if err != nil {
		t.Fatal(err)
	}
	// Close would not wake a read.
	if err := unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}); err != nil {
		t.Fatal(err)
	}
	w := &tap{to: to}
	end, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- w.read(socket, end) }()
	t.Cleanup(func() {
		close(end)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		unix.Close(socket)
	})
	return w
}

func (w *tap) read(socket int, end <-chan struct{}) error {
	packet := make([]byte, 128)
	for {
		select {
		case <-end:
			return nil
		default:
		}
		n, _, err := unix.Recvfrom(socket, packet, 0)
		switch {
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		}
		if isSegmentTo(packet[:n], w.to) {
			w.mu.Lock()
			w.last = time.Now()
			w.seen++
			w.mu.Unlock()
		}
	}
}

func isSegmentTo(packet []byte, to netip.Addr) bool {
	return len(packet) >= 20 && packet[0]>>4 == 4 && packet[9] == unix.IPPROTO_TCP &&
		netip.AddrFrom4([4]byte(packet[16:20])) == to
}

// count is how many segments were seen, and when the last one was.
func (w *tap) count() (int, time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen, w.last
}
