// Package faulttest lists which segments each fault drops. It is written independently of the switch's code, for tests
// of that code.
package faulttest

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

const (
	ack = segment.ACK
	psh = segment.PSH
	fin = segment.FIN
	urg = segment.URG
	rst = segment.RST
	syn = segment.SYN
	ece = segment.ECE
)

// Segments are the segments that tests send through every rule. Their payload is 4 bytes.
var Segments = segments()

func segments() (list []segment.Segment) {
	add := func(f segment.Flags, at, acks uint32) {
		list = append(list, segment.Segment{Flags: f, Seq: seq.At(at), Ack: seq.At(acks), WindowScale: -1, Len: 4})
	}
	for _, f := range []segment.Flags{
		0, syn, ack, ack | psh, ack | fin, ack | urg, rst, rst | ack, psh, fin, urg,
		ack | psh | fin, ack | urg | psh, fin | urg | psh,
		fin | urg | psh | ack, rst | urg, syn | ack, syn | fin, syn | ece, ack | psh | ece,
	} {
		// With 4 bytes, a segment at 2^32-4 ends just before 0. 2^32-3 is the first start whose data includes 0, and 2^32-1
		// the last one before 0.
		for _, at := range []uint32{0, 1, 1<<32 - 1, 1<<32 - 3, 1<<32 - 4, 1000} {
			add(f, at, 7777)
		}
		add(f, 5000, 0)
		add(f, 0, 0)
	}
	return list
}

// atZero returns a rule that drops segments with these flags and sequence number 0.
func atZero(lost ...segment.Flags) func(segment.Segment) bool {
	return func(s segment.Segment) bool { return s.Seq == seq.At(0) && slices.Contains(lost, s.Flags) }
}

// Drops has, for each rule, the condition under which a segment must be dropped.
var Drops = map[string]func(segment.Segment) bool{
	"push-at-zero": atZero(ack|psh, psh, ack|psh|fin, ack|urg|psh, fin|urg|psh, fin|urg|psh|ack, ack|psh|ece),
	"fin-at-zero":  atZero(ack|fin, fin, ack|psh|fin, fin|urg|psh, fin|urg|psh|ack, syn|fin),
	"urg-at-zero":  atZero(ack|urg, urg, ack|urg|psh, fin|urg|psh, fin|urg|psh|ack, rst|urg),
	"rst-at-zero":  atZero(rst, rst|ack, rst|urg),
	"syn-at-zero":  atZero(syn, syn|ack, syn|fin, syn|ece),
	"ack-at-zero":  atZero(ack),
	"fin-urg-push-at-zero": func(s segment.Segment) bool {
		return s.Seq == seq.At(0) && !slices.Contains([]segment.Flags{0, syn, ack, rst, rst | ack, syn | ack, syn | ece},
			s.Flags)
	},
	"fin-push-rst-at-zero": func(s segment.Segment) bool {
		return s.Seq == seq.At(0) && !slices.Contains([]segment.Flags{0, syn, ack, ack | urg, urg, syn | ack, syn | ece},
			s.Flags)
	},
	"fin-urg-push-together-at-zero": atZero(fin|urg|psh, fin|urg|psh|ack),
	"no-flags-at-zero":              atZero(0),
	"dos-control-at-zero":           atZero(0, fin|urg|psh, fin|urg|psh|ack),
	"any-flags-at-zero":             func(s segment.Segment) bool { return s.Seq == seq.At(0) && s.Flags != 0 },
	"all-at-zero":                   func(s segment.Segment) bool { return s.Seq == seq.At(0) },
	"straddling-zero": func(s segment.Segment) bool {
		return s.Seq == seq.At(1<<32-1) || s.Seq == seq.At(1<<32-3)
	},
	"ack-number-zero": func(s segment.Segment) bool { return s.Flags.Has(ack) && s.Ack == seq.At(0) },
	"push-at=1000":    func(s segment.Segment) bool { return s.Seq == seq.At(1000) && s.Flags.Has(psh) },
	"push-at-multiples=1000": func(s segment.Segment) bool {
		return s.Flags.Has(psh) && (s.Seq == seq.At(0) || s.Seq == seq.At(1000) || s.Seq == seq.At(5000))
	},
	"all-at-multiples=5000": func(s segment.Segment) bool { return s.Seq == seq.At(0) || s.Seq == seq.At(5000) },
	"push-up-to=999": func(s segment.Segment) bool {
		return s.Flags.Has(psh) && (s.Seq == seq.At(0) || s.Seq == seq.At(1))
	},
	"all-at=1":        func(s segment.Segment) bool { return s.Seq == seq.At(1) },
	"straddling=1002": func(s segment.Segment) bool { return s.Seq == seq.At(1000) },
	"straddling=1000": func(segment.Segment) bool { return false },
	"straddling=1004": func(segment.Segment) bool { return false },
	"ack-number=7777": func(s segment.Segment) bool { return s.Flags.Has(ack) && s.Ack == seq.At(7777) },
	"every-push":      func(s segment.Segment) bool { return s.Flags.Has(psh) },
	"every-fin":       func(s segment.Segment) bool { return s.Flags.Has(fin) },
	"every-urg":       func(s segment.Segment) bool { return s.Flags.Has(urg) },
	"every-rst":       func(s segment.Segment) bool { return s.Flags.Has(rst) },
	"every-syn":       func(s segment.Segment) bool { return s.Flags.Has(syn) },
	"xmas":            func(s segment.Segment) bool { return s.Flags == fin|urg|psh },
	"no-flags":        func(s segment.Segment) bool { return s.Flags == 0 },
	"invalid-flags": func(s segment.Segment) bool {
		return slices.Contains([]segment.Flags{0, psh, fin, urg, fin | urg | psh, rst | urg, syn | fin}, s.Flags)
	},
	"everything":          func(segment.Segment) bool { return true },
	"loss=100%":           func(segment.Segment) bool { return true },
	"ecmp=2/2:every-fin":  func(s segment.Segment) bool { return s.Flags.Has(fin) },
	"spray=4/4:every-fin": func(s segment.Segment) bool { return s.Flags.Has(fin) },
}
