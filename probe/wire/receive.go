package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/route"
	"github.com/tcpprobe/tcpprobe/probe/segment"
)

// receiveBuffer is the size of the socket's receive buffer in bytes of kernel memory.
const receiveBuffer = 8 << 20

// tap receives the packets that pass the socket filter.
type tap struct {
	file     *os.File // non-blocking: Go's runtime waits for packets
	conn     syscall.RawConn
	protocol uint16 // only this family: another wire receives the other one
	device   int32  // index
	batch    *batch
	fill     func(fd uintptr) bool
	failed   error           // error of the last receiveBatch
	ending   <-chan struct{} // Done channel of the context that interrupts reading
	release  func() bool
	dropped  atomic.Int64
	handling atomic.Bool // packets were received from the socket and not all are returned
}

// openTap attaches the filter before it binds the socket, so that no other packet is queued. It binds to all protocols:
// the kernel calls taps for one protocol after the guard, so they would see nothing. It receives from all devices, so
// that an answer by another device is not taken for a missing one.
func openTap(r route.Route, filter *ebpf.Program) (*tap, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	t := &tap{file: os.NewFile(uintptr(fd), "tap of "+r.Device), protocol: protocol(r.Source), device: int32(r.Index),
		batch: newBatch()}
	t.fill = t.receiveBatch
	if err := prepare(fd, filter); err != nil {
		return nil, errors.Join(err, t.file.Close())
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL)}); err != nil {
		return nil, errors.Join(err, t.file.Close())
	}
	if t.conn, err = t.file.SyscallConn(); err != nil {
		return nil, errors.Join(err, t.file.Close())
	}
	return t, nil
}

func prepare(fd int, filter *ebpf.Program) error {
	options := []struct{ level, name, value int }{
		{unix.SOL_SOCKET, unix.SO_ATTACH_BPF, filter.FD()},
		{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
		{unix.SOL_PACKET, unix.PACKET_AUXDATA, 1},
		{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer},
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("socket option %d: %w", o.name, err)
		}
	}
	return nil
}

func (t *tap) receive(ctx context.Context) (Packet, error) {
	for {
		for c := t.batch.next(); c != nil; c = t.batch.next() {
			if c.protocol != t.protocol {
				continue
			}
			s, u, err := segment.Parse(c.data, segment.RawIP, c.wireLen)
			if err == nil {
				return Packet{Time: c.time, Outgoing: c.outgoing, Device: int(c.device),
					OtherDevice: c.device != t.device, Segment: s,
					Unreachable: u}, nil
			}
		}
		if err := t.wait(ctx); err != nil {
			return Packet{}, err
		}
	}
}

// wait blocks until the batch has packets.
func (t *tap) wait(ctx context.Context) error {
	t.handling.Store(false)
	if err := t.endWith(ctx); err != nil {
		return err
	}
	err := t.conn.Read(t.fill)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return t.interrupted(ctx)
	case err != nil:
		return fmt.Errorf("receiving: %w", err)
	case t.failed != nil:
		return fmt.Errorf("receiving: %w", t.failed)
	}
	return nil
}

// receiveBatch returns false if there is nothing to receive yet.
func (t *tap) receiveBatch(fd uintptr) bool {
	t.handling.Store(true) // set it before the packets leave the socket
	t.failed = t.batch.receive(int(fd))
	if errors.Is(t.failed, unix.EAGAIN) {
		t.handling.Store(false)
		t.failed = nil
		return false
	}
	return true
}

// endWith makes the end of ctx interrupt reading. It does this once for a context that is used for many packets.
func (t *tap) endWith(ctx context.Context) error {
	if err := ctx.Err(); err != nil || ctx.Done() == t.ending {
		return err
	}
	if t.release != nil {
		t.release()
	}
	t.ending = ctx.Done()
	t.release = context.AfterFunc(ctx, func() { _ = t.file.SetReadDeadline(time.Unix(1, 0)) })
	return nil
}

// interrupted returns the error of ctx, or nil if a context of an earlier call interrupted reading. It first clears the
// deadline, so that an end of ctx after the check sets it again.
func (t *tap) interrupted(ctx context.Context) error {
	if err := t.file.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	return ctx.Err()
}

func (t *tap) pending() bool {
	waiting := 0
	// size of the first packet in bytes
	err := t.conn.Control(func(fd uintptr) { waiting, _ = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
	return err == nil && waiting > 0 || t.handling.Load()
}

func (t *tap) droppedPackets() (int, error) {
	var stats *unix.TpacketStats
	var failed error
	err := t.conn.Control(func(fd uintptr) {
		stats, failed = unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS)
	})
	if err := errors.Join(err, failed); err != nil {
		return 0, fmt.Errorf("reading the tap's statistics: %w", err)
	}
	return int(t.dropped.Add(int64(stats.Drops))), nil // reading resets the kernel's counter to 0
}

func (t *tap) Close() error { return t.file.Close() }
