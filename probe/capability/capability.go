// Package capability finds out which Linux capabilities this process lacks.
package capability

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Capability is a Linux capability (capabilities(7)), under the name that messages use.
type Capability struct {
	Name string
	any  []uint // bit numbers; any one of them is enough
}

// The capabilities that probing needs. Before Linux 5.8, SYS_ADMIN includes what BPF allows.
var (
	NetAdmin = Capability{"NET_ADMIN", []uint{unix.CAP_NET_ADMIN}}
	NetRaw   = Capability{"NET_RAW", []uint{unix.CAP_NET_RAW}}
	BPF      = Capability{"BPF", []uint{unix.CAP_BPF, unix.CAP_SYS_ADMIN}}
	SysAdmin = Capability{"SYS_ADMIN", []uint{unix.CAP_SYS_ADMIN}}
)

// Probing are the capabilities that the packet sockets and the guard's eBPF programs need.
var Probing = []Capability{NetAdmin, NetRaw, BPF}

// Missing returns the names of the wanted capabilities that this process lacks.
func Missing(wanted ...Capability) ([]string, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return nil, fmt.Errorf("reading this process's capabilities: %w", err)
	}
	return lacking(uint64(data[1].Effective)<<32|uint64(data[0].Effective), wanted), nil
}

func lacking(effective uint64, wanted []Capability) (names []string) {
	for _, c := range wanted {
		if !c.in(effective) {
			names = append(names, c.Name)
		}
	}
	return names
}

func (c Capability) in(effective uint64) bool {
	for _, bit := range c.any {
		if effective&(1<<bit) != 0 {
			return true
		}
	}
	return false
}
