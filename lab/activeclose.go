package lab

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The servers that close first, in each of three ways: close() leaves the kernel an orphan, shutdown() a connection
// whose application is still there.
const (
	ShutdownOnAccept  Server = "shutdown-on-accept"  // shuts both sides down at once
	CloseAfterText    Server = "close-after-text"    // closes after the first bytes
	HalfCloseAfter    Server = "half-close-after"    // shuts its sending side down after the first bytes, and reads on
	ShutdownAfterText Server = "shutdown-after-text" // shuts both sides down after the first bytes
	HTTPClose         Server = "http-close"          // answers an HTTP request and closes
	HTTPHalfClose     Server = "http-half-close"     // answers an HTTP request, shuts its sending side down and reads on
	HTTPShutdown      Server = "http-shutdown"       // answers an HTTP request and shuts both sides down
	// answers an HTTP request, shuts its sending side down and closes soon
	HTTPLinger Server = "http-linger"
)

// activeClose is how a server closes first: after what, and in which way. false where what it waited for never came.
type activeClose struct {
	after func(*net.TCPConn) bool
	by    func(*net.TCPConn)
}

var activeClosers = map[Server]activeClose{
	HalfClose:         {atOnce, halfClose},
	CloseOnAccept:     {atOnce, closeAll},
	ShutdownOnAccept:  {atOnce, shutdown},
	CloseAfterText:    {text, closeAll},
	HalfCloseAfter:    {text, halfClose},
	ShutdownAfterText: {text, shutdown},
	HTTPClose:         {request, closeAll},
	HTTPHalfClose:     {request, halfClose},
	HTTPShutdown:      {request, shutdown},
	HTTPLinger:        {request, linger},
}

func (k activeClose) handle(c *net.TCPConn) {
	if k.after(c) {
		k.by(c)
	}
}

func atOnce(*net.TCPConn) bool { return true }

// thanks is what the servers say before they close after the first bytes.
const thanks = "221 closing\r\n"

func text(c *net.TCPConn) bool {
	n, _ := c.Read(make([]byte, 4096))
	_, _ = io.WriteString(c, thanks)
	return n > 0
}

// page is what the HTTP servers answer with.
const page = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"

func request(c *net.TCPConn) bool {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil || !r.Close {
		return false
	}
	_, _ = io.WriteString(c, page)
	return true
}

// closeAll leaves the closing to whoever gave the connection.
func closeAll(*net.TCPConn) {}

func halfClose(c *net.TCPConn) {
	_ = c.CloseWrite()
	_, _ = io.Copy(io.Discard, c)
}

// lingering is how long HTTPLinger reads on after its own end.
const lingering = 400 * time.Millisecond

// linger is how servers let the peer read the last answer before their close could reset it.
func linger(c *net.TCPConn) {
	_ = c.CloseWrite()
	_ = c.SetReadDeadline(time.Now().Add(lingering))
	_, _ = io.Copy(io.Discard, c)
}

// lingers bounds how long an application keeps a connection that it has shut down, and closedStep how often it looks.
const (
	lingers    = 10 * time.Second
	closedStep = 5 * time.Millisecond
)

// shutdown shuts both sides down and keeps the connection until the peer has closed, as applications do that wait for
// others to finish with it. Its reads end at once, so that only the connection's state tells.
func shutdown(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil || control(raw, func(fd int) error { return unix.Shutdown(fd, syscall.SHUT_RDWR) }) != nil {
		return
	}
	for end := time.Now().Add(lingers); time.Now().Before(end) && !closed(raw); {
		time.Sleep(closedStep)
	}
}

func closed(raw syscall.RawConn) bool {
	var info *unix.TCPInfo
	err := control(raw, func(fd int) (err error) {
		info, err = unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err
	})
	return err != nil || tcpStates[info.State] == "CLOSE"
}
