// Package capability tells what this process is not permitted to do.
package capability

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Capability is one of the privileges that Linux gives a process by itself (capabilities(7)).
type Capability struct {
	Name string
	any  []uint // bits, one of which suffices
}

// Those that matter here. Before Linux 5.8 SYS_ADMIN stands for BPF.
var (
	NetAdmin = Capability{"NET_ADMIN", []uint{unix.CAP_NET_ADMIN}}
	NetRaw   = Capability{"NET_RAW", []uint{unix.CAP_NET_RAW}}
	BPF      = Capability{"BPF", []uint{unix.CAP_BPF, unix.CAP_SYS_ADMIN}}
	SysAdmin = Capability{"SYS_ADMIN", []uint{unix.CAP_SYS_ADMIN}}
)

// Probing is what sending and guarding crafted segments takes.
var Probing = []Capability{NetAdmin, NetRaw, BPF}

// Missing names those of the wanted capabilities that this process lacks.
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
