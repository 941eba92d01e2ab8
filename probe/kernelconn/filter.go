package kernelconn

import "golang.org/x/sys/unix"

// Classic BPF over a packet that begins with the IP header.
const (
	loadByte   = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
	loadHalf   = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
	loadHalfX  = unix.BPF_LD | unix.BPF_H | unix.BPF_IND
	loadHeader = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH // the length of an IPv4 header
	and        = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	equal      = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	ends       = unix.BPF_RET | unix.BPF_K
)

// segmentBytes is how much is read of each packet: the longest IP header and a TCP header without options.
const segmentBytes = 80

// segmentsOfIPv4 takes TCP segments from or to a port.
func segmentsOfIPv4(port uint16) []unix.SockFilter {
	return []unix.SockFilter{
		{Code: loadByte, K: 0}, {Code: and, K: 0xf0}, {Code: equal, K: 0x40, Jf: 8},
		{Code: loadByte, K: 9}, {Code: equal, K: unix.IPPROTO_TCP, Jf: 6},
		{Code: loadHeader, K: 0},
		{Code: loadHalfX, K: 0}, {Code: equal, K: uint32(port), Jt: 2},
		{Code: loadHalfX, K: 2}, {Code: equal, K: uint32(port), Jf: 1},
		{Code: ends, K: segmentBytes},
		{Code: ends, K: 0},
	}
}

// segmentsOfIPv6 is the same for segments without extension headers.
func segmentsOfIPv6(port uint16) []unix.SockFilter {
	return []unix.SockFilter{
		{Code: loadByte, K: 0}, {Code: and, K: 0xf0}, {Code: equal, K: 0x60, Jf: 7},
		{Code: loadByte, K: 6}, {Code: equal, K: unix.IPPROTO_TCP, Jf: 5},
		{Code: loadHalf, K: 40}, {Code: equal, K: uint32(port), Jt: 2},
		{Code: loadHalf, K: 42}, {Code: equal, K: uint32(port), Jf: 1},
		{Code: ends, K: segmentBytes},
		{Code: ends, K: 0},
	}
}
