// Package scenario has the registry of the scenarios. Each scenario is a packet exchange that tests one property of a
// path or a peer, in a package of its own.
package scenario

import (
	"github.com/tcpprobe/tcpprobe/probe/scenario/acceptqueue"
	"github.com/tcpprobe/tcpprobe/probe/scenario/finreorder"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/handshake"
	"github.com/tcpprobe/tcpprobe/probe/scenario/idletimeout"
	"github.com/tcpprobe/tcpprobe/probe/scenario/pathmtu"
	"github.com/tcpprobe/tcpprobe/probe/scenario/sequencewrap"
)

// Registry has every scenario by name.
var Registry = map[string]flow.Definition{
	"AcceptQueue":  acceptqueue.Definition,
	"FinReorder":   finreorder.Definition,
	"Handshake":    handshake.Definition,
	"IdleTimeout":  idletimeout.Definition,
	"PathMTU":      pathmtu.Definition,
	"SequenceWrap": sequencewrap.Definition,
}
