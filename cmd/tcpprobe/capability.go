package main

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// needed are the capabilities of a probe. Before Linux 5.8 SYS_ADMIN stands for BPF.
var needed = []struct {
	name string
	any  []uint
}{
	{"NET_ADMIN", []uint{unix.CAP_NET_ADMIN}},
	{"NET_RAW", []uint{unix.CAP_NET_RAW}},
	{"BPF", []uint{unix.CAP_BPF, unix.CAP_SYS_ADMIN}},
}

// checkCapabilities reports what this process lacks for probing, before anything is sent.
func checkCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("reading this process's capabilities: %w", err)
	}
	effective := uint64(data[1].Effective)<<32 | uint64(data[0].Effective)
	if missing := lacking(effective); len(missing) > 0 {
		return fmt.Errorf("this process lacks the capabilities %s: run it as root (sudo tcpprobe …), or once: "+
			"sudo setcap cap_net_admin,cap_net_raw,cap_bpf+ep $(command -v tcpprobe)", strings.Join(missing, ", "))
	}
	return nil
}

func lacking(effective uint64) (names []string) {
	for _, n := range needed {
		has := false
		for _, bit := range n.any {
			has = has || effective&(1<<bit) != 0
		}
		if !has {
			names = append(names, n.name)
		}
	}
	return names
}
