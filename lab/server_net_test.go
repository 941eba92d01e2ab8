//go:build net

package lab

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Every server does what its name says, for both families.
func TestServers(t *testing.T) {
	l := newLab(t, Options{})
	serve(t, l)
	checks := map[Server]func(*testing.T, *Lab, Family){
		Echo:          checkEcho,
		Sink:          checkSink,
		Banner:        checkBanner,
		BadRequest:    checkBadRequest,
		HalfClose:     checkHalfClose,
		CloseOnAccept: checkCloseOnAccept,
		Deferred:      checkDeferred,
		NeverAccepts:  checkNeverAccepts,

		ShutdownOnAccept:  checkCloses(ShutdownOnAccept, "", ""),
		CloseAfterText:    checkCloses(CloseAfterText, "x", closingText),
		HalfCloseAfter:    checkCloses(HalfCloseAfter, "x", closingText),
		ShutdownAfterText: checkCloses(ShutdownAfterText, "x", closingText),
		HTTPClose:         checkCloses(HTTPClose, closingRequest, page),
		HTTPHalfClose:     checkCloses(HTTPHalfClose, closingRequest, page),
		HTTPShutdown:      checkCloses(HTTPShutdown, closingRequest, page),
		HTTPLinger:        checkCloses(HTTPLinger, closingRequest, page),
	}
	for _, s := range Servers {
		for _, f := range Families {
			t.Run(string(s)+"/"+string(f), func(t *testing.T) { checks[s](t, l, f) })
		}
	}
}

func checkEcho(t *testing.T, l *Lab, f Family) { exchange(t, l, f, 10000) }

func checkSink(t *testing.T, l *Lab, f Family) {
	c := dial(t, l, f, Sink)
	defer c.Close()
	write(t, c, strings.Repeat("x", 100000))
	_ = c.CloseWrite()
	if got := readAll(t, c); got != "" {
		t.Errorf("the sink answered %q", got)
	}
}

func checkBanner(t *testing.T, l *Lab, f Family) {
	c := dial(t, l, f, Banner)
	defer c.Close()
	got := make([]byte, len(greeting))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != greeting {
		t.Errorf("%q, %v", got, err)
	}
}

func checkBadRequest(t *testing.T, l *Lab, f Family) {
	c := dial(t, l, f, BadRequest)
	defer c.Close()
	write(t, c, "G")
	if got := readAll(t, c); got != refusal {
		t.Errorf("%q", got)
	}
}

func checkHalfClose(t *testing.T, l *Lab, f Family) {
	c := dial(t, l, f, HalfClose)
	defer c.Close()
	if got := readAll(t, c); got != "" {
		t.Errorf("it sent %q", got)
	}
	write(t, c, "still open")
	if n := awaitSockets(t, l, f, "FIN_WAIT2"); n != 1 {
		t.Errorf("%d sockets in FIN_WAIT2, want 1: it lingers until the client closes", n)
	}
}

func checkCloseOnAccept(t *testing.T, l *Lab, f Family) {
	c := dial(t, l, f, CloseOnAccept)
	defer c.Close()
	if got := readAll(t, c); got != "" {
		t.Errorf("it sent %q", got)
	}
}

// With TCP_DEFER_ACCEPT the connection stays half-open in the server's kernel until the first byte.
func checkDeferred(t *testing.T, l *Lab, f Family) {
	c := dial(t, l, f, Deferred)
	defer c.Close()
	if n := awaitSockets(t, l, f, "SYN_RECV"); n != 1 {
		t.Errorf("%d sockets in SYN_RECV, want 1", n)
	}
	write(t, c, "x")
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

// The queue has room for stalledBacklog+1 connections. The next SYN gets no answer.
func checkNeverAccepts(t *testing.T, l *Lab, f Family) {
	held := make([]net.Conn, stalledBacklog+1)
	for i := range held {
		held[i] = dial(t, l, f, NeverAccepts)
	}
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	err := l.Client().Do(func() error {
		c, err := net.DialTimeout("tcp", l.Target(f, NeverAccepts).String(), 300*time.Millisecond)
		if err == nil {
			c.Close()
		}
		return err
	})
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("connection %d: %v, want a timeout", stalledBacklog+2, err)
	}
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Error(err)
	}
}

func readAll(t *testing.T, c net.Conn) string {
	t.Helper()
	got, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	return string(got)
}

// awaitSockets waits until the server has sockets in the given state with the client, and returns their number.
func awaitSockets(t *testing.T, l *Lab, f Family, state string) int {
	t.Helper()
	var sockets map[string]int
	await(t, func() bool {
		var err error
		if sockets, err = l.Server().Sockets(l.ClientAddr(f)); err != nil {
			t.Fatal(err)
		}
		return sockets[state] > 0
	})
	return sockets[state]
}

// await waits until so returns true. It fails the test after a time that is far more than enough.
func await(t *testing.T, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); {
		if time.Now().After(end) {
			t.Error("the condition never became true")
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// The state of a connection in the server's kernel is counted while it exists and not afterwards.
func TestSocketsAndConntrackAreCountedByPeer(t *testing.T) {
	l := newLab(t, Options{Conntrack: true})
	serve(t, l)
	for _, f := range Families {
		peer := l.ClientAddr(f)
		if s, c := left(t, l, peer); len(s)+len(c) != 0 {
			t.Errorf("%s: before any connection: sockets %v, conntrack %v", f, s, c)
		}
		conn := dial(t, l, f, Echo)
		write(t, conn, "x")
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Error(err)
		}
		if s, c := left(t, l, peer); s["ESTABLISHED"] != 1 || c["ESTABLISHED"] != 1 {
			t.Errorf("%s: with one connection: sockets %v, conntrack %v", f, s, c)
		}
		if s, c := left(t, l, peer.Next().Next()); len(s)+len(c) != 0 {
			t.Errorf("%s: toward another peer: sockets %v, conntrack %v", f, s, c)
		}
		_ = conn.SetLinger(0) // makes Close send an RST
		conn.Close()
		await(t, func() bool {
			s, c := left(t, l, peer)
			return len(s) == 0 && c["CLOSE"] == 1 && len(c) == 1
		})
	}
}

func left(t *testing.T, l *Lab, peer netip.Addr) (sockets, conntrack map[string]int) {
	t.Helper()
	sockets, err := l.Server().Sockets(peer)
	if err != nil {
		t.Fatal(err)
	}
	conntrack, err = l.Server().Conntrack(peer)
	if err != nil {
		t.Fatal(err)
	}
	return sockets, conntrack
}
