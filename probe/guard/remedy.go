package guard

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/probe/capability"
)

// remedy says how a user can fix an error of loading.
func remedy(err error) string {
	if !errors.Is(err, unix.EPERM) {
		return "Linux 5.10 or later is needed"
	}
	if missing, _ := capability.Missing(capability.BPF, capability.NetAdmin); len(missing) > 0 {
		return fmt.Sprintf("this process lacks the capabilities %s: run as root, in a container with them added"+
			" (SYS_ADMIN instead of BPF before Linux 5.8)", strings.Join(missing, " and "))
	}
	return fmt.Sprintf("the capabilities are there: before Linux 5.11 raise RLIMIT_MEMLOCK (%d bytes) "+
		"or add SYS_RESOURCE; else let the container's seccomp profile and user namespace permit bpf(2)", lockable())
}
