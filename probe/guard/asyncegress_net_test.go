//go:build net

package guard_test

import (
	"net"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/tcpprobe/tcpprobe/lab"
)

// When Counters returns, both programs are attached, whichever method attached them.
func TestCountersWaitForBothPrograms(t *testing.T) {
	needTCX(t)
	for _, w := range []guardSetup{direct, ingressFirst, handedOver} {
		l := newLab(t)
		if _, err := startHolder(t, l.Client(), holderTask{Way: w, Peer: l.Target(lab.IPv4, lab.Echo)}); err != nil {
			t.Fatal(err)
		}
		for _, where := range []ebpf.AttachType{ebpf.AttachTCXIngress, ebpf.AttachTCXEgress} {
			must(t, l.Client().Do(func() error {
				d, err := net.InterfaceByName(lab.ClientDevice)
				if err != nil {
					return err
				}
				found, err := link.QueryPrograms(link.QueryOptions{Target: d.Index, Attach: where})
				if err == nil && len(found.Programs) != 1 {
					t.Errorf("%q, %s: %d programs, want 1", w, where, len(found.Programs))
				}
				return err
			}))
		}
	}
}
