package main

import (
	"flag"
	"fmt"
	"strconv"

	"github.com/tcpprobe/tcpprobe/controllers"
)

// bindCaps has a flag for each bound on what all TCPProbes do together.
func bindCaps(f *flag.FlagSet, caps *controllers.Caps) {
	*caps = controllers.DefaultCaps
	f.Var(bound{&caps.Total, 1}, "max-pods", "`number` of probe pods at once in the whole cluster")
	f.Var(bound{&caps.PerProbe, 1}, "max-pods-per-tcpprobe", "`number` of probe pods at once of one TCPProbe")
	f.Var(bound{&caps.PerNode, 1}, "max-pods-per-node", "`number` of probe pods at once on one node")
	f.Var(bound{&caps.PerSecond, 1}, "max-pods-per-second", "`number` of probe pods made in a second")
	f.Var(bound{&caps.NodePackets, controllers.SlowestProbe}, "max-packets-per-node",
		"`number` of packets a second that all probe pods of a node may send; what would take more alone is refused, the "+
			"rest waits")
	f.Var(bound{&caps.TargetPackets, controllers.SlowestProbe}, "max-packets-per-target",
		"`number` of packets a second that all probe pods may send to one pod or address")
}

// bound is the flag of a bound, which has a least value: with less nothing could ever run.
type bound struct {
	value *int
	least int
}

func (b bound) String() string {
	if b.value == nil { // asked by package flag of a zero bound
		return ""
	}
	return strconv.Itoa(*b.value)
}

func (b bound) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < b.least {
		return fmt.Errorf("need a number, %d or more; to stop all TCPProbes scale the manager to 0", b.least)
	}
	*b.value = n
	return nil
}
