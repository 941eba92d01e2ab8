package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/capability"
)

// forLab is what making network namespaces takes, beside probing from them.
var forLab = append([]capability.Capability{capability.SysAdmin}, capability.Probing...)

// permitted reports what this process lacks, before anything is made or sent.
func permitted(wanted []capability.Capability, orElse string) error {
	missing, err := capability.Missing(wanted...)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("this process lacks the capabilities %s: run it as root (sudo %s …)%s", strings.Join(missing, ", "), executable(), orElse)
	}
	return nil
}

// permittedToProbe is about `tcpprobe run`, whose few capabilities a file can have.
func permittedToProbe() error {
	return permitted(capability.Probing, ", or once: sudo setcap cap_net_admin,cap_net_raw,cap_bpf+ep "+executable())
}

// executable is this program's file, whatever name it was called by; sudo has a path of its own.
func executable() string {
	path, err := os.Executable()
	if err != nil {
		return "tcpprobe"
	}
	return path
}
