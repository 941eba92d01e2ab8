//go:build net

package run_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
)

// errUnfinished means that what came was right as far as it came, until the connection ended.
var errUnfinished = errors.New("unfinished")

// protocols are servers of one connection each. They return errUnfinished, or what is wrong with what came.
var protocols = map[string]func(net.Conn, *bufio.Reader) error{
	"http":    request,
	"tls":     clientHello,
	"mysql":   mysql,
	"redis":   redis,
	"smtp":    smtp,
	"ssh":     ssh,
	"mongodb": mongodb,
}

// begins reads a line, which has to begin so, and not to end.
func begins(r *bufio.Reader, with string) error {
	line, err := r.ReadString('\n')
	if err != nil && strings.HasPrefix(with, line[:min(len(line), len(with))]) {
		return errUnfinished
	}
	return fmt.Errorf("the line %.20q", line)
}

// request waits for a request line.
func request(_ net.Conn, r *bufio.Reader) error { return begins(r, "GET /") }

// clientHello is Go's own TLS server, which closes on what is no ClientHello.
func clientHello(c net.Conn, r *bufio.Reader) error {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	err := tls.Server(&buffered{c, r}, config).Handshake()
	if err != nil && !strings.Contains(err.Error(), "tls:") {
		return errUnfinished
	}
	return fmt.Errorf("TLS: %w", err)
}

// buffered is a connection whose data is read from a buffer.
type buffered struct {
	net.Conn
	r *bufio.Reader
}

func (b *buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

// longest is what servers take in one message of a client that they do not know yet.
const longest = 16384

// mysql greets, and reads a packet: its length in three bytes, its number in the exchange, the capabilities.
func mysql(c net.Conn, r *bufio.Reader) error {
	greeting := append([]byte("\x0a8.0.36\x00\x01\x00\x00\x00abcdefgh\x00\x0d\xa2\x21\x02\x00\x00\x00\x15"),
		make([]byte, 10)...)
	if _, err := c.Write(append([]byte{byte(len(greeting)), 0, 0, 0}, greeting...)); err != nil {
		return errUnfinished
	}
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return errUnfinished
	}
	length := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	if length < 32 || length > longest || head[3] != 1 {
		return fmt.Errorf("a packet of %d bytes with the number %d", length, head[3])
	}
	return rest(r, length)
}

// redis answers lines.
func redis(c net.Conn, r *bufio.Reader) error {
	for {
		if next, err := r.Peek(6); err != nil || string(next) != "PING\r\n" {
			return begins(r, "PING ")
		}
		if _, err := r.Discard(6); err != nil {
			return err
		}
		if _, err := io.WriteString(c, "+PONG\r\n"); err != nil {
			return errUnfinished
		}
	}
}

// smtp greets, and reads a command.
func smtp(c net.Conn, r *bufio.Reader) error {
	if _, err := io.WriteString(c, "220 mail.example ESMTP\r\n"); err != nil {
		return errUnfinished
	}
	return begins(r, "NOOP ")
}

// ssh exchanges identifications (RFC 4253 section 4.2), and reads a packet (section 6).
func ssh(c net.Conn, r *bufio.Reader) error {
	if _, err := io.WriteString(c, "SSH-2.0-Test\r\n"); err != nil {
		return errUnfinished
	}
	const version = "SSH-2.0-"
	line, err := r.ReadString('\n')
	if n := min(len(line), len(version)); err != nil && line[:n] == version[:n] {
		return errUnfinished
	}
	if !strings.HasPrefix(line, version) || !strings.HasSuffix(line, "\r\n") || len(line) > 255 {
		return fmt.Errorf("the identification %.20q", line)
	}
	head := make([]byte, 6)
	if _, err := io.ReadFull(r, head); err != nil {
		return errUnfinished
	}
	length := int(binary.BigEndian.Uint32(head))
	if (length+4)%8 != 0 || length > 35000-4 || head[4] < 4 || head[5] != 20 {
		return fmt.Errorf("a packet of %d bytes, with %d of padding, and the message %d", length, head[4], head[5])
	}
	return rest(r, length-2)
}

// mongodb answers messages, each with its length and OP_MSG in the header.
func mongodb(c net.Conn, r *bufio.Reader) error {
	for {
		head := make([]byte, 16)
		if _, err := io.ReadFull(r, head); err != nil {
			return errUnfinished
		}
		length, operation := binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint32(head[12:])
		if length < 26 || length > 48_000_000 || operation != 2013 {
			return fmt.Errorf("a message of %d bytes with the operation %d", length, operation)
		}
		body := make([]byte, length-16)
		if _, err := io.ReadFull(r, body); err != nil {
			return errUnfinished
		}
		document := body[5:]
		if body[4] != 0 || int(binary.LittleEndian.Uint32(document)) != len(document) || document[len(document)-1] != 0 ||
			!bytes.HasPrefix(document[4:], []byte("\x10hello\x00")) {
			return fmt.Errorf("the document %q", document)
		}
		if _, err := c.Write([]byte("\x26\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00" +
			"\x11\x00\x00\x00\x01ok\x00\x00\x00\x00\x00\x00\x00\xf0\x3f\x00")); err != nil {
			return errUnfinished
		}
	}
}

// rest waits for so many bytes.
func rest(r *bufio.Reader, n int) error {
	if _, err := io.CopyN(io.Discard, r, int64(n)); err != nil {
		return errUnfinished
	}
	return errors.New("the message was finished")
}

// speak serves a protocol. What it returns says on how many connections a right beginning came, and what was wrong on
// others that sent something.
func (s *site) speak(protocol string, at netip.AddrPort) (served func() (begun int, wrong []string)) {
	s.t.Helper()
	l := &counted{Listener: s.listener(at)}
	go l.each(func(c net.Conn) error { return protocols[protocol](c, bufio.NewReader(c)) })
	return l.served
}

// counted is a listener that keeps what became of its connections.
type counted struct {
	net.Listener
	mu    sync.Mutex
	begun int
	wrong []string
}

// each serves every connection that sends something.
func (l *counted) each(serve func(net.Conn) error) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			if err := serve(c); c.(*sending).got > 0 {
				l.ends(err)
			}
		}()
	}
}

// Accept returns a connection that knows how much came.
func (l *counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &sending{Conn: c}, err
}

func (l *counted) ends(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(err, errUnfinished) {
		l.begun++
	} else {
		l.wrong = append(l.wrong, fmt.Sprint(err))
	}
}

func (l *counted) served() (begun int, wrong []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begun, l.wrong
}

// sending is a connection that counts what it got.
type sending struct {
	net.Conn
	got int
}

func (c *sending) Read(b []byte) (n int, err error) {
	n, err = c.Conn.Read(b)
	c.got += n
	return n, err
}
