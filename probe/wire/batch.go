package wire

import (
	"encoding/binary"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSize is how many packets one system call receives at most.
const batchSize = 32

// batch receives several packets with one recvmmsg(2).
type batch struct {
	headers  [batchSize]unix.Mmsghdr
	vectors  [batchSize]unix.Iovec
	sources  [batchSize]unix.RawSockaddrLinklayer
	controls [batchSize][128]byte
	packets  [batchSize][SnapLength]byte
	filled   int
	taken    int
	current  captured
}

// captured is one packet of a batch. It is valid until the next receive.
type captured struct {
	data     []byte // starts with the IP header
	wireLen  int
	time     time.Time
	protocol uint16 // EtherType
	outgoing bool
	device   int32 // index
}

func newBatch() *batch {
	b := new(batch)
	for i := range b.headers {
		b.vectors[i].Base = &b.packets[i][0]
		b.vectors[i].SetLen(SnapLength)
		h := &b.headers[i].Hdr
		h.Name = (*byte)(unsafe.Pointer(&b.sources[i]))
		h.Iov = &b.vectors[i]
		h.SetIovlen(1)
		h.Control = &b.controls[i][0]
	}
	return b
}

// receive receives the packets that have arrived. It returns unix.EAGAIN if there are none.
func (b *batch) receive(fd int) error {
	b.filled, b.taken = 0, 0
	for i := range b.headers { // the kernel has overwritten these lengths
		b.headers[i].Hdr.Namelen = unix.SizeofSockaddrLinklayer
		b.headers[i].Hdr.SetControllen(len(b.controls[i]))
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.headers)), batchSize,
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return errno
	}
	b.filled = int(n)
	return nil
}

// next returns the next packet, or nil after the last.
func (b *batch) next() *captured {
	if b.taken == b.filled {
		return nil
	}
	i := b.taken
	b.taken++
	header, source := &b.headers[i], &b.sources[i]
	b.current = captured{
		data: b.packets[i][:header.Len], wireLen: int(header.Len),
		protocol: htons(source.Protocol), outgoing: source.Pkttype == unix.PACKET_OUTGOING, device: source.Ifindex,
	}
	b.current.readControls(b.controls[i][:header.Hdr.Controllen])
	return &b.current
}

// readControls reads the kernel's timestamp (struct timespec) and the packet's length before truncation (struct
// tpacket_auxdata).
func (c *captured) readControls(data []byte) {
	for len(data) >= unix.SizeofCmsghdr {
		header, content, rest, err := unix.ParseOneSocketControlMessage(data)
		if err != nil {
			return
		}
		switch {
		case header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_TIMESTAMPNS && len(content) >= 16:
			c.time = time.Unix(int64(binary.NativeEndian.Uint64(content)), int64(binary.NativeEndian.Uint64(content[8:])))
		case header.Level == unix.SOL_PACKET && header.Type == unix.PACKET_AUXDATA && len(content) >= 8:
			c.wireLen = int(binary.NativeEndian.Uint32(content[4:]))
		}
		data = rest
	}
}
