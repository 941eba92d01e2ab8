//go:build net

package guard_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/guard"
)

func TestThreeCapabilitiesSuffice(t *testing.T) {
	everyMode(t, func(t *testing.T, l *lab.Lab, family lab.Family, mode guard.Mode) {
		three := []int{unix.CAP_NET_RAW, unix.CAP_NET_ADMIN, unix.CAP_BPF}
		ways := []guardSetup{direct}
		if mode == guard.TCX {
			ways = append(ways, handedOver)
		}
		for _, w := range ways {
			o := holderTask{Way: w, Mode: mode, Peer: l.Target(family, lab.Echo), Capabilities: three}
			if _, err := startHolder(t, l.Client(), o); err != nil {
				t.Errorf("%q: %v", w, err)
			}
		}
	})
}

func TestMissingCapabilityIsNamed(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct {
		keep []int
		says string
	}{
		{[]int{unix.CAP_NET_RAW, unix.CAP_NET_ADMIN}, "lacks the capabilities BPF"},
		{[]int{unix.CAP_NET_RAW, unix.CAP_BPF}, "lacks the capabilities NET_ADMIN"},
		{[]int{unix.CAP_NET_ADMIN, unix.CAP_BPF}, "NET_RAW"},
	} {
		for _, mode := range modes {
			task := holderTask{Mode: mode, Peer: l.Target(lab.IPv4, lab.Echo), Capabilities: c.keep}
			_, err := startHolder(t, l.Client(), task)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s with capabilities %v: %v, want an error with %s", mode, c.keep, err, c.says)
			}
		}
	}
}
