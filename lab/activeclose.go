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

// The servers that close first, each in three ways. After close() the kernel has an orphaned connection. After
// shutdown() the application still has the socket.
const (
	ShutdownOnAccept  Server = "shutdown-on-accept"  // shuts both sides down at once
	CloseAfterText    Server = "close-after-text"    // closes after the first bytes
	HalfCloseAfter    Server = "half-close-after"    // shuts its sending side down after the first bytes and keeps reading
	ShutdownAfterText Server = "shutdown-after-text" // shuts both sides down after the first bytes
	HTTPClose         Server = "http-close"          // answers an HTTP request and closes
	HTTPHalfClose     Server = "http-half-close"     // answers an HTTP request, shuts its sending side down, keeps reading
	HTTPShutdown      Server = "http-shutdown"       // answers an HTTP request and shuts both sides down
	// answers an HTTP request, shuts its sending side down and closes 400 ms later
	HTTPLinger Server = "http-linger"
)

// activeClose says after what input a server closes and in which way. The first function returns false if that input
// did not arrive.
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

// closingText is the text that servers send before they close after the first bytes.
const closingText = "221 closing\r\n"

func text(c *net.TCPConn) bool {
	n, _ := c.Read(make([]byte, 4096))
	_, _ = io.WriteString(c, closingText)
	return n > 0
}

// page is the response of the HTTP servers.
const page = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"

func request(c *net.TCPConn) bool {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil || !r.Close {
		return false
	}
	_, _ = io.WriteString(c, page)
	return true
}

// closeAll does nothing: the caller of handle closes the connection.
func closeAll(*net.TCPConn) {}

func halfClose(c *net.TCPConn) {
	_ = c.CloseWrite()
	_, _ = io.Copy(io.Discard, c)
}

// lingering is how long HTTPLinger reads after it has shut its sending side down.
const lingering = 400 * time.Millisecond

// linger reads for a while before the close, as servers do because close() with unread data would send an RST and the
// peer could lose the last response.
func linger(c *net.TCPConn) {
	_ = c.CloseWrite()
	_ = c.SetReadDeadline(time.Now().Add(lingering))
	_, _ = io.Copy(io.Discard, c)
}

// lingers is how long an application keeps a connection after shutdown() at most. closedStep is how often it checks the
// connection's state.
const (
	lingers    = 10 * time.Second
	closedStep = 5 * time.Millisecond
)

// shutdown shuts both sides down and keeps the socket until the peer has closed. Applications do this when other
// threads still use the socket. Reads return at once, so the end is seen only in the connection's state.
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
