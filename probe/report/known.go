package report

// dosControl is in the command references of Netgear M4100, Extreme 200 and NetApp CN1610 ("dos-control tcpflag").
const dosControl = "Dell N, Netgear M4100/M7300, Quanta LB4M, NetApp CN1610, Extreme 200: `show dos-control`; off by `no dos-control tcpflag`. No natural segment is hit"

// headerCheck is in the configuration statements of Junos ("TCP SEQNUM is zero and flags are set").
const headerCheck = "Juniper MX with MX-SPC3: `header-integrity-check`"

const antiDos = "ZTE 9900: `anti-dos abnormal enable`, then `disable`, or V2.00.00R8P16"

// knownFrom says by a rule's name which devices it is known from, and the command that shows or cures it. Sources are the
// vendors' manuals and release notes.
var knownFrom = map[string]string{
	"AnyOfFinUrgPushAtZero":     "a silicon family of chassis switches; " + antiDos,
	"AnyOfFinPushRstAtZero":     "Juniper ACX, M, MX, T (stateful firewall, IDS, TCP ALG): see `header-integrity-check`",
	"FinUrgPushTogetherAtZero":  dosControl,
	"NoFlagsAtZero":             dosControl,
	"NoFlagsOrFinUrgPushAtZero": dosControl,
	"AnyFlagsAtZero":            headerCheck,
	"EverythingAtZero":          headerCheck,
	"PushAtZero":                antiDos,
}

// KnownFrom is what a rule is known from, and the command that shows or cures it there; "" if nobody is known.
func KnownFrom(rule string) string { return knownFrom[rule] }
