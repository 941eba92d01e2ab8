package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxPackets is the largest number of packets in a File. It bounds the memory of Finish, which takes 24 bytes a
// packet. One hour at 200 packets a second stays below it. A peer that floods the prober may exceed it.
const maxPackets = 2 << 20

// packetLocation is the position of a packet block in the spill.
type packetLocation struct {
	nanos        int64 // time of the packet, since 1970
	offset, size int64
}

// indexPackets finds the packet blocks in a spill, at most the given number, and counts the further ones. A last block
// that is incomplete, because its writer was killed, is ignored.
func indexPackets(spill *bufio.Reader, most int) (found []packetLocation, omitted int, err error) {
	for offset := int64(0); ; {
		p, err := nextPacket(spill)
		switch {
		case errors.Is(err, io.EOF):
			return found, omitted, nil
		case err != nil:
			return nil, 0, err
		case len(found) < most:
			p.offset = offset
			found = append(found, p)
		default:
			omitted++
		}
		offset += p.size
	}
}

// packetHead is the size of a packet block before the packet data: type, length, interface, timestamp, captured and
// original length.
const packetHead = 28

func nextPacket(spill *bufio.Reader) (p packetLocation, err error) {
	head, err := spill.Peek(packetHead)
	if err != nil {
		return p, err
	}
	p.size = int64(little.Uint32(head[4:]))
	if little.Uint32(head) != packetBlock || p.size < packetHead+4 || p.size > maxBlock {
		return p, fmt.Errorf("a block of kind %d and %d bytes stands among the packets", little.Uint32(head), p.size)
	}
	p.nanos = int64(uint64(little.Uint32(head[12:]))<<32 | uint64(little.Uint32(head[16:])))
	_, err = spill.Discard(int(p.size))
	return p, err
}

// maxBlock is larger than every packet block: an IP packet and its comment take less.
const maxBlock = 1 << 17
