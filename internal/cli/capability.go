package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/capability"
)

// RequireCapabilities returns an error if this process lacks capabilities. It is called before anything is sent.
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

// Executable is the path of this program. sudo has a PATH of its own, so the program's name would not do.
func Executable() string {
	path, err := os.Executable()
	if err != nil {
		return "tcpprobe"
	}
	return path
}
