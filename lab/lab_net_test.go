//go:build net

package lab

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

func newLab(t *testing.T, o Options) *Lab {
	t.Helper()
	l, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestTwoLabsAtOnceCarryBothFamilies(t *testing.T) {
	labs := []*Lab{newLab(t, Options{}), newLab(t, Options{})}
	for _, l := range labs {
		for _, f := range Families {
			for _, to := range []netip.Addr{l.ServerAddr(f), l.DistantAddr(f, 0), l.DistantAddr(f, Distant-1)} {
				connect(t, l, netip.AddrPortFrom(to, 7000))
			}
		}
	}
}

// connect opens an ordinary connection to a listener on all addresses of the server.
func connect(t *testing.T, l *Lab, to netip.AddrPort) {
	t.Helper()
	var listener net.Listener
	err := l.Server().Do(func() (err error) {
		listener, err = net.Listen("tcp", netip.AddrPortFrom(netip.IPv6Unspecified(), to.Port()).String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	err = l.Client().Do(func() error {
		c, err := net.Dial("tcp", to.String())
		if err == nil {
			c.Close()
		}
		return err
	})
	if err != nil {
		t.Errorf("%s: %v", to, err)
	}
}

func TestDoReturnsTheThreadEvenWhenTheGoroutinePanics(t *testing.T) {
	l := newLab(t, Options{})
	inside, outside := make(chan string), make(chan struct{})
	go func() {
		defer close(outside)
		defer func() { _ = recover() }()
		_ = l.Client().Do(func() error {
			inside <- foreignThread(t)
			panic("on purpose")
		})
	}()
	if <-inside == "" {
		t.Error("no thread is in another namespace while Do runs: the check below would see nothing")
	}
	<-outside
	if foreign := foreignThread(t); foreign != "" {
		t.Errorf("thread %s stayed in the client's namespace", foreign)
	}
}

// foreignThread returns a thread of this process that is in another network namespace than the first thread.
func foreignThread(t *testing.T) string {
	t.Helper()
	home, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Error(err)
	}
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Error(err)
	}
	for _, thread := range threads {
		if ns, err := os.Readlink(thread); err == nil && ns != home {
			return thread
		}
	}
	return ""
}
