// Package scenario names the scenarios: the packet exchanges that each ask one question of a path or of a peer. Each
// has its own package.
package scenario

import (
	"github.com/tcpprobe/tcpprobe/probe/scenario/acceptqueue"
	"github.com/tcpprobe/tcpprobe/probe/scenario/finreorder"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/scenario/handshake"
	"github.com/tcpprobe/tcpprobe/probe/scenario/sequencewrap"
)

// Registry names every scenario.
var Registry = map[string]flow.Definition{
	"AcceptQueue":  acceptqueue.Definition,
	"FinReorder":   finreorder.Definition,
	"Handshake":    handshake.Definition,
	"SequenceWrap": sequencewrap.Definition,
}
