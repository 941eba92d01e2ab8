package capture

import (
	"encoding/binary"
	"time"
)

// Blocks and options of pcapng (draft-ietf-opsawg-pcapng, sections 3.5, 4.1, 4.2 and 4.3). gopacket's
// writer knows no comments on packets.
const (
	sectionBlock   = 0x0a0d0d0a
	interfaceBlock = 1
	packetBlock    = 6

	byteOrderMagic = 0x1a2b3c4d
	linkTypeRaw    = 101 // packets start with an IPv4 or IPv6 header

	optionEnd     = 0
	optionComment = 1

	sectionOS          = 3
	sectionApplication = 4

	interfaceDescription = 3
	interfaceResolution  = 9

	packetFlags = 2
	inbound     = 1
	outbound    = 2
)

// nanoseconds is the resolution of timestamps, as a power of ten.
const nanoseconds = 9

var little = binary.LittleEndian

// block appends one block. fill appends the block's body.
func block(b []byte, kind uint32, fill func([]byte) []byte) []byte {
	start := len(b)
	b = little.AppendUint32(b, kind)
	b = fill(little.AppendUint32(b, 0))
	size := uint32(len(b) - start + 4)
	little.PutUint32(b[start+4:], size)
	return little.AppendUint32(b, size)
}

// option appends one option, padded to a multiple of four bytes.
func option(b []byte, code uint16, value []byte) []byte {
	b = little.AppendUint16(b, code)
	b = little.AppendUint16(b, uint16(len(value)))
	return padded(b, value)
}

func padded(b, value []byte) []byte {
	b = append(b, value...)
	return append(b, make([]byte, -len(value)&3)...)
}

func endOfOptions(b []byte) []byte { return little.AppendUint32(b, optionEnd) }

// appendHead appends the start of a file: one section header with the comment, and one interface description.
func appendHead(b []byte, comment, system string) []byte {
	b = block(b, sectionBlock, func(b []byte) []byte {
		b = little.AppendUint32(b, byteOrderMagic)
		b = little.AppendUint32(b, 1)          // version 1.0
		b = little.AppendUint64(b, ^uint64(0)) // length not stated
		b = option(b, optionComment, []byte(comment))
		b = option(b, sectionOS, []byte(system))
		return endOfOptions(option(b, sectionApplication, []byte("tcpprobe")))
	})
	return block(b, interfaceBlock, func(b []byte) []byte {
		b = little.AppendUint32(b, linkTypeRaw)
		b = little.AppendUint32(b, 0) // no snap length: each packet block has its own captured length
		b = option(b, interfaceDescription,
			[]byte("crafted flows: what was sent is whole, what came back ends with its TCP header"))
		return endOfOptions(option(b, interfaceResolution, []byte{nanoseconds}))
	})
}

// packet is one packet of a file.
type packet struct {
	time    time.Time
	flags   uint32 // inbound or outbound
	comment string
	data    []byte // starts with the IP header
	length  int    // bytes on the wire
}

func (p packet) append(b []byte) []byte {
	return block(b, packetBlock, func(b []byte) []byte {
		at := uint64(p.time.UnixNano())
		b = little.AppendUint32(b, 0) // the only interface
		b = little.AppendUint32(b, uint32(at>>32))
		b = little.AppendUint32(b, uint32(at))
		b = little.AppendUint32(b, uint32(len(p.data)))
		b = little.AppendUint32(b, uint32(p.length))
		b = padded(b, p.data)
		b = option(b, optionComment, []byte(p.comment))
		return endOfOptions(option(b, packetFlags, little.AppendUint32(nil, p.flags)))
	})
}
