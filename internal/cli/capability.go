package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/capability"
)

// RequireCapabilities reports what this process lacks, before anything is made or sent.
func RequireCapabilities(wanted []capability.Capability, orElse string) error {
	missing, err := capability.Missing(wanted...)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("this process lacks the capabilities %s: run it as root (sudo %s …)%s",
			strings.Join(missing, ", "), Executable(), orElse)
	}
	return nil
}

// Executable is this program's file, whatever name it was called by; sudo has a path of its own.
func Executable() string {
	path, err := os.Executable()
	if err != nil {
		return "tcpprobe"
	}
	return path
}
