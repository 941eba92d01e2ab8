package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// mostPackets bounds what a File holds, and so the memory of Finish: 24 bytes a packet. The run of an hour
// at 200 packets a second stays below; a peer that floods the prober does not.
const mostPackets = 2 << 20

// packetLocation is where a packet block lies in the spill.
type packetLocation struct {
	nanos        int64 // of its packet, since 1970
	offset, size int64
}

// indexPackets finds the packet blocks of a spill, up to a number of them, and counts those beyond. A block that its
// writer, killed, did not complete ends the spill.
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

// packetHead is the size of what comes before a packet's data: kind, size, interface, time and two lengths.
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

// maxBlock is the size in bytes that no packet block reaches: an IP packet and its comment.
const maxBlock = 1 << 17
