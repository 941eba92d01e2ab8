//go:build net

package main

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// listener is a packet socket at the server. Its packets are compared with a capture.
type listener struct{ fd int }

func listen(t *testing.T, s *lab.Lab) (l listener) {
	t.Helper()
	if err := s.Server().Do(func() (err error) {
		all := uint16(unix.ETH_P_ALL)
		if l.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, int(all<<8|all>>8)); err != nil {
			return err
		}
		return unix.SetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20)
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(l.fd) })
	return l
}

// packets returns the received and sent TCP packets. The server's are cut after their headers.
func (l listener) packets(t *testing.T) (arrived, left []string) {
	t.Helper()
	buffer := make([]byte, 65536)
	for {
		n, from, err := unix.Recvfrom(l.fd, buffer, 0)
		if errors.Is(err, unix.EAGAIN) {
			return arrived, left
		}
		if err != nil {
			t.Fatal(err)
		}
		s, _, err := segment.Parse(buffer[:n], segment.RawIP, n)
		switch {
		case err != nil || s == nil:
		case from.(*unix.SockaddrLinklayer).Pkttype == unix.PACKET_OUTGOING:
			left = append(left, string(s.Header))
		default:
			arrived = append(arrived, string(buffer[:n]))
		}
	}
}

// inFile returns the sent and received packets of a capture (draft-ietf-opsawg-pcapng section 4.3).
func inFile(t *testing.T, name string) (out, in []string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for ; len(b) > 0; b = b[binary.LittleEndian.Uint32(b[4:]):] {
		if binary.LittleEndian.Uint32(b) != 6 {
			continue
		}
		size := binary.LittleEndian.Uint32(b[4:])
		data := string(b[28 : 28+binary.LittleEndian.Uint32(b[20:])])
		if flags := b[size-12]; flags == 2 { // the value of the last option, before the end-of-options and the length
			out = append(out, data)
		} else {
			in = append(in, data)
		}
	}
	return out, in
}

// Sent packets in the file equal those that arrive, byte by byte. Received packets equal those that the server sent, up
// to the end of the headers.
func TestPcapHasTheBytesOfTheWire(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	for _, f := range lab.Families {
		file := filepath.Join(t.TempDir(), "run.pcapng")
		l := listen(t, s)
		if r := runFrom(t, s, s.Target(f, lab.Echo).String(), "--paths", "8", "--pcap", file,
			"--kernel-connections=false"); r.status != cli.ExitPass {
			t.Fatalf("%s: %+v", f, r)
		}
		arrived, left := l.packets(t)
		out, in := inFile(t, file)
		for what, pair := range map[string][2][]string{"sent": {out, arrived}, "received": {in, left}} {
			slices.Sort(pair[0])
			slices.Sort(pair[1])
			if len(pair[0]) < 50 || !slices.Equal(pair[0], pair[1]) {
				t.Errorf("%s: %d packets %s by the file, %d by the server's socket; they differ", f, len(pair[0]), what,
					len(pair[1]))
			}
		}
	}
}

// If the worker is killed, only the packets of its last moments are missing in the capture.
func TestPcapOfAKilledWorker(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	file := filepath.Join(t.TempDir(), "run.pcapng")
	cmd := slow(t, s, lab.IPv4, "--pcap", file)
	for _, worker := range children(t, cmd.Process.Pid) {
		if err := syscall.Kill(int(number(t, worker)), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait()
	frames(t, file)
	if says := sectionComment(t, file); !strings.Contains(says, "Inconclusive/ProberKilled") {
		t.Errorf("the file says %q", says)
	}
}
