package guard

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// needed are the capabilities without which no guard can be loaded.
var needed = []struct {
	bit  int
	name string
}{{unix.CAP_BPF, "BPF"}, {unix.CAP_NET_ADMIN, "NET_ADMIN"}}

// remedy says what to do about an error of loading.
func remedy(err error) string {
	if !errors.Is(err, unix.EPERM) {
		return "Linux 5.8 or later is needed"
	}
	if missing := missingCapabilities(); len(missing) > 0 {
		return fmt.Sprintf("this process lacks the capabilities %s: run as root, in a container with them added"+
			" (SYS_ADMIN instead of BPF before Linux 5.8)", strings.Join(missing, " and "))
	}
	return fmt.Sprintf("the capabilities are there: before Linux 5.11 raise RLIMIT_MEMLOCK (%d bytes) or add SYS_RESOURCE;"+
		" else let the container's seccomp profile and user namespace permit bpf(2)", lockable())
}

func missingCapabilities() (names []string) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return nil
	}
	for _, c := range needed {
		if data[c.bit/32].Effective&(1<<(c.bit%32)) == 0 {
			names = append(names, c.name)
		}
	}
	return names
}
