package limits

import (
	"flag"
	"fmt"
	"strconv"
)

// BindFlags registers a flag for each limit. The defaults are DefaultCaps.
func (c *Caps) BindFlags(f *flag.FlagSet) {
	*c = DefaultCaps
	f.Var(bound{&c.Total, 1}, "max-pods", "`number` of probe pods at once in the whole cluster")
	f.Var(bound{&c.PerProbe, 1}, "max-pods-per-tcpprobe", "`number` of probe pods at once of one TCPProbe")
	f.Var(bound{&c.PerNode, 1}, "max-pods-per-node", "`number` of probe pods at once on one node")
	f.Var(bound{&c.PerSecond, 1}, "max-pods-per-second", "`number` of probe pods made in a second")
	f.Var(bound{&c.NodePackets, 2 * SlowestProbe}, "max-packets-per-node", "`number` of packets a second that all probe "+
		"pods of a node may send; what would take more alone is refused, the rest waits")
	f.Var(bound{&c.TargetPackets, 2 * SlowestProbe}, "max-packets-per-target", "`number` of packets a second "+
		"that all probe pods may send to one pod or address")
}

// bound is a flag with a least value. With less, no pod could ever run.
type bound struct {
	value *int
	least int
}

func (b bound) String() string {
	if b.value == nil { // package flag calls String on a zero value
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
