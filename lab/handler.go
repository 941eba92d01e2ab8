package lab

import (
	"io"
	"net"
)

const (
	greeting = "220 tcpprobe lab\r\n"
	refusal  = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)

// handle serves one connection. It returns when the server has finished with it; the caller then closes it. Errors are
// caused by the peer and end the connection.
func (s Server) handle(c *net.TCPConn) {
	switch s {
	case Echo, Deferred:
		echo(c)
	case Sink:
		_, _ = io.Copy(io.Discard, c)
	case Banner:
		_, _ = io.WriteString(c, greeting)
		_, _ = io.Copy(io.Discard, c)
	case BadRequest:
		refuse(c)
	default:
		activeClosers[s].handle(c)
	}
}

// echo copies through user space. Splicing from a socket to itself would move the data without letting the application
// read it.
func echo(c *net.TCPConn) {
	buffer := make([]byte, 4096)
	for {
		n, err := c.Read(buffer)
		if _, w := c.Write(buffer[:n]); err != nil || w != nil {
			return
		}
	}
}

// refuse answers the first bytes with status 400.
func refuse(c *net.TCPConn) {
	if n, _ := c.Read(make([]byte, 4096)); n > 0 {
		_, _ = io.WriteString(c, refusal)
	}
}
