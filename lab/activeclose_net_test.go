//go:build net

package lab

import (
	"strings"
	"testing"
)

const closingRequest = "GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"

// checkCloses sends the question, expects the server's words and its FIN, then closes and expects that no connection is
// left.
func checkCloses(s Server, question, words string) func(*testing.T, *Lab, Family) {
	return func(t *testing.T, l *Lab, f Family) {
		c := dial(t, l, f, s)
		defer c.Close()
		write(t, c, question)
		if got := readAll(t, c); got != words {
			t.Errorf("%q, want %q", got, words)
		}
		awaitSockets(t, l, f, "FIN_WAIT2")
		c.Close()
		await(t, func() bool {
			sockets, err := l.Server().Sockets(l.ClientAddr(f))
			return err == nil && sockets["FIN_WAIT2"] == 0
		})
	}
}

// HTTP servers do not respond to a request without "Connection: close".
func TestHTTPServersWantAClosingRequest(t *testing.T) {
	l := newLab(t, Options{})
	serve(t, l)
	c := dial(t, l, IPv4, HTTPHalfClose)
	defer c.Close()
	write(t, c, strings.Replace(closingRequest, "close", "keep-alive", 1))
	if got := readAll(t, c); got != "" {
		t.Errorf("%q", got)
	}
}
