package rule

import "github.com/tcpprobe/tcpprobe/probe/variant"

const (
	fin = variant.FIN
	syn = variant.SYN
	rst = variant.RST
	psh = variant.PSH
	ack = variant.ACK
	urg = variant.URG
)

// table has one entry for each rule. The devices' behaviour is taken from their manuals and release notes. After a
// change run go generate ./...
var table = []Rule{
	{
		Name: "AnyOfFinUrgPushAtZero", Fault: "fin-urg-push-at-zero",
		Drops: "segments with any of FIN, URG, PSH at sequence 0", Flags: anyOf(fin | urg | psh),
		Devices: "a silicon family of chassis switches; " + antiDosDevices, Cure: antiDosCure,
	},
	{
		Name: "AnyOfFinPushRstAtZero", Fault: "fin-push-rst-at-zero",
		Drops: "segments with any of FIN, PSH, RST at sequence 0", Flags: anyOf(fin | psh | rst),
		Devices: "Juniper ACX, M, MX, T (stateful firewall, IDS, TCP ALG)", Cure: "see `header-integrity-check`",
	},
	{
		Name: "FinUrgPushTogetherAtZero", Fault: "fin-urg-push-together-at-zero",
		Drops: "segments with all of FIN, URG, PSH at sequence 0", Flags: allOf(fin | urg | psh),
		Devices: dosControlDevices, Cure: dosControlCure,
	},
	{
		Name: "NoFlagsAtZero", Fault: "no-flags-at-zero",
		Drops: "segments without a flag at sequence 0", Flags: exactly(0),
		Devices: dosControlDevices, Cure: dosControlCure,
	},
	{
		Name: "NoFlagsOrFinUrgPushAtZero", Fault: "dos-control-at-zero",
		Drops:   "segments at sequence 0 without a flag, or with all of FIN, URG, PSH",
		Flags:   either(exactly(0), allOf(fin|urg|psh)),
		Devices: dosControlDevices, Cure: dosControlCure,
	},
	{
		Name: "AnyFlagsAtZero", Fault: "any-flags-at-zero",
		Drops: "segments with any flag at sequence 0", Flags: func(f variant.Flags) bool { return f != 0 },
		Devices: headerCheckDevices, Cure: headerCheckCure,
	},
	{
		Name: "EverythingAtZero", Fault: "all-at-zero",
		Drops: "segments at sequence 0, with or without flags", Flags: func(variant.Flags) bool { return true },
		Devices: headerCheckDevices, Cure: headerCheckCure,
	},
	{
		Name: "PushAtZero", Fault: "push-at-zero",
		Drops: "segments with PSH at sequence 0", Flags: anyOf(psh),
		Devices: antiDosDevices, Cure: antiDosCure,
	},
	{
		Name: "FinAtZero", Fault: "fin-at-zero",
		Drops: "segments with FIN at sequence 0", Flags: anyOf(fin),
	},
	{
		Name: "UrgAtZero", Fault: "urg-at-zero",
		Drops: "segments with URG at sequence 0", Flags: anyOf(urg),
	},
	{
		Name: "RstAtZero", Fault: "rst-at-zero",
		Drops: "segments with RST at sequence 0", Flags: anyOf(rst),
	},
	{
		Name: "SynAtZero", Fault: "syn-at-zero",
		Drops: "segments with SYN at sequence 0", Flags: anyOf(syn),
	},
	{
		Name: "AckAloneAtZero", Fault: "ack-at-zero",
		Drops: "segments with ACK and no other flag at sequence 0", Flags: exactly(ack),
	},
	{
		Name: "StraddlingZero", Fault: "straddling-zero", Zero: variant.Across,
		Drops: "segments that start before sequence 0 and carry the byte of sequence 0",
	},
	{
		Name: "AckNumberZero", Fault: "ack-number-zero", Zero: variant.Acknowledgment,
		Drops: "segments with ACK whose acknowledgement number is 0",
	},
}

// dos-control is in the command references of Netgear M4100, Extreme 200 and NetApp CN1610 ("dos-control tcpflag").
const (
	dosControlDevices = "Dell N, Netgear M4100/M7300, Quanta LB4M, NetApp CN1610, Extreme 200"
	dosControlCure    = "`show dos-control`; off by `no dos-control tcpflag`. No natural segment is hit"
)

// The header check is in the configuration statements of Junos ("TCP SEQNUM is zero and flags are set").
const (
	headerCheckDevices = "Juniper MX with MX-SPC3"
	headerCheckCure    = "`header-integrity-check`"
)

const (
	antiDosDevices = "ZTE 9900"
	antiDosCure    = "`anti-dos abnormal enable`, then `disable`, or V2.00.00R8P16"
)
