//go:build net

package hosts_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
)

// echoPort is the port of echo. It is below those of the lab's servers.
const echoPort = 7000

// echo starts an echo server that, unlike those of the lab, sends no keep-alives.
func echo(t *testing.T, l *lab.Lab) netip.AddrPort {
	t.Helper()
	var listener net.Listener
	if err := l.Server().Do(func() (err error) {
		config := net.ListenConfig{KeepAlive: -1}
		listener, err = config.Listen(t.Context(), "tcp4", fmt.Sprintf(":%d", echoPort))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var open sync.Map
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			open.Store(c, true)
			done.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		done.Wait()
	})
	return netip.AddrPortFrom(l.TargetAddr(lab.IPv4), echoPort)
}
