//go:build net

package kernelconn

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// site is a lab with its servers.
type site struct {
	*lab.Lab
	t *testing.T
}

func newSite(t *testing.T) *site {
	t.Helper()
	return &site{labtest.New(t, lab.Options{}), t}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var zero = seq.At(0)

func request(n int) []byte { return append([]byte("GET /"), bytes.Repeat([]byte{'x'}, n)...)[:n] }

// ask makes one connection from the client's namespace.
func (s *site) ask(f lab.Family, size Size, crossing, hasty bool) Result {
	s.t.Helper()
	var r Result
	enough := func(again int, _ time.Duration) bool { return hasty && again > 0 }
	must(s.t, s.Client().Do(func() (err error) {
		r, err = Ask(s.t.Context(), Question{Remote: s.Target(f, lab.Echo), Size: size,
			Crossing: crossing, Payload: request, Patience: 2 * time.Second, Enough: enough})
		return err
	}))
	if r.Remains != nil {
		r.Remains.Release()
	}
	return r
}

func (s *site) inject(faults ...string) {
	s.t.Helper()
	s.t.Cleanup(labtest.Inject(s.t, s.Lab, faults...))
}

// Where the path is healthy everything is acknowledged without a repetition, and what remains is described exactly.
func TestHealthyPath(t *testing.T) {
	s := newSite(t)
	for _, f := range lab.Families {
		for _, size := range Sizes() {
			for _, crossing := range []bool{true, false} {
				r := s.ask(f, size, crossing, false)
				if r.Fate == Overtaken {
					continue // the path is too short for data in flight
				}
				if r.Fate != Acknowledged || !r.Opened || !r.Control.Acknowledged || !r.Data.Acknowledged || !r.Rest.Acknowledged ||
					r.Control.Retransmissions+r.Data.Retransmissions+r.Rest.Retransmissions > 0 || r.MSS < 1000 || !r.Timestamps ||
					r.SegmentsSent < 5 || r.Remains == nil || len(r.Remains.Missing) > 0 {
					t.Fatalf("%s, %s, crossing %v: %+v %+v", f, size, crossing, r, r.Remains)
				}
				beyond := r.Remains.Unacked.Sub(zero)
				if near := beyond > 0 && beyond < 1<<16; near != crossing {
					t.Errorf("%s, %s: crossing is %v, and the end is %s", f, size, crossing, r.Remains.Unacked)
				}
			}
		}
	}
}

// What is lost at 0 each time stalls a real connection for good, and a control not at all.
func TestDroppedAtZero(t *testing.T) {
	s := newSite(t)
	s.inject("push-at-zero")
	for _, f := range lab.Families {
		if r := s.ask(f, Size{Bytes: 3}, false, false); r.Fate != Acknowledged {
			t.Errorf("%s: the control: %+v", f, r)
		}
		r := s.ask(f, Size{Bytes: 3}, true, false)
		if r.Fate != Silent || !r.Control.Acknowledged || r.Data.Acknowledged || r.Data.Retransmissions < 2 || r.Rest.Sent ||
			r.Remains == nil || r.Remains.Unacked != zero || len(r.Remains.Missing) != 4 {
			t.Errorf("%s: %+v %+v", f, r, r.Remains)
		}
		if r := s.ask(f, Size{Bytes: 3}, true, true); r.Fate != Silent || r.Data.Retransmissions == 0 ||
			r.Data.Took > time.Second {
			t.Errorf("%s, hasty: %+v", f, r)
		}
	}
}

// inFlight are three full segments from 0 on, or across it, while what is before them is not acknowledged.
func inFlight(o Order) Size { return Size{Segments: several, Order: o} }

// Data in flight has a segment that begins at exactly 0, or one that spans it: a device that drops only the one harms
// no connection of the other kind, none that waits, and no control.
func TestInFlight(t *testing.T) {
	for fault, harmed := range map[string]Order{"in-flight-at-zero=drop@in": InFlight,
		"straddling-zero@in": Across} {
		s := newSite(t)
		s.inject(fault, "delay=20ms")
		for _, f := range lab.Families {
			for _, o := range []Order{Waiting, InFlight, Across} {
				s.expectRepeated(f, o, true, o == harmed)
				s.expectRepeated(f, o, false, false)
			}
		}
	}
}

// On a path so short that what is before 0 may be acknowledged before the rest leaves, a connection in flight either
// says so, and sends no more, or carries everything.
func TestInFlightOnAShortPath(t *testing.T) {
	s := newSite(t)
	for range 8 {
		r := s.ask(lab.IPv4, inFlight(InFlight), true, false)
		overtaken := r.Fate == Overtaken && !r.Rest.Sent && r.Remains != nil
		if !overtaken && r.Fate != Acknowledged {
			t.Errorf("%+v %+v", r, r.Remains)
		}
	}
}

// expectRepeated makes a connection, in which the kernel has to send something again or not. A busy machine makes it
// repeat what is only late, or send too late what is to be in flight, which it says: one of three has to be as it is
// wanted.
func (s *site) expectRepeated(f lab.Family, o Order, crossing, want bool) {
	s.t.Helper()
	r := s.ask(f, inFlight(o), crossing, false)
	for range 2 {
		if want != (again(r) > 0) || r.Fate == Overtaken {
			r = s.ask(f, inFlight(o), crossing, false)
		}
	}
	lostAcross := want && o == Across
	if want != (again(r) > 0) || !r.Data.Sent ||
		lostAcross && (r.Fate != Silent || r.Remains.Unacked != zero.Add(-across)) {
		s.t.Errorf("%s, %s, crossing %v: %+v %+v", f, r.Size, crossing, r, r.Remains)
	}
}

func again(r Result) int {
	return r.Control.Retransmissions + r.Data.Retransmissions + r.Rest.Retransmissions
}

// An acknowledgement of exactly 0 that is lost stalls a connection for good: the kernel repeats what it acknowledges
// and, with its window shrunk to one segment, sends nothing after it.
func TestLostAcknowledgementOfZero(t *testing.T) {
	s := newSite(t)
	s.inject("ack-number-zero")
	r := s.ask(lab.IPv4, Size{Bytes: 3}, true, false)
	if r.Fate != Silent || r.Control.Acknowledged || r.Control.Retransmissions == 0 || r.Data.Sent {
		t.Errorf("%+v", r)
	}
}

func TestClosedPort(t *testing.T) {
	s := newSite(t)
	must(t, s.Client().Do(func() error {
		r, err := Ask(t.Context(), Question{Remote: netip.AddrPortFrom(s.ServerAddr(lab.IPv4), 1),
			Size: Size{Bytes: 1}, Payload: request,
			Patience: time.Second})
		if err == nil && (r.Fate != Refused || r.Opened || r.Remains != nil) {
			t.Errorf("%+v", r)
		}
		return err
	}))
}

// A context that has ended ends the connection, and what it leaves is told.
func TestContextEnds(t *testing.T) {
	s := newSite(t)
	s.inject("push-at-zero")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	must(t, s.Client().Do(func() error {
		r, err := Ask(ctx, Question{Remote: s.Target(lab.IPv4, lab.Echo),
			Size: Size{Bytes: 1}, Crossing: true, Payload: request, Patience: time.Minute})
		if err == nil && (r.Fate != Stopped || r.Remains == nil) {
			t.Errorf("%+v", r)
		}
		if r.Remains != nil {
			r.Remains.Release()
		}
		return err
	}))
}

// childVariable has the test's program ask without the capability.
const childVariable = "TCPPROBE_TEST_REFUSED"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	runtime.LockOSThread()
	var none [2]unix.CapUserData
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capset(&head, &none[0]); err != nil {
		os.Stdout.WriteString(err.Error())
		return
	}
	_, err := Ask(context.Background(), Question{Remote: netip.MustParseAddrPort("127.0.0.1:1"),
		Size: Size{Bytes: 1}, Payload: request, Patience: time.Second})
	if errors.Is(err, ErrRefused) {
		os.Stdout.WriteString("refused: ")
	}
	os.Stdout.WriteString(err.Error())
}

func TestRefusedWithoutCapability(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1")
	out, err := child.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "refused: ") || !strings.Contains(string(out), "NET_ADMIN") {
		t.Errorf("%v: %s", err, out)
	}
}
