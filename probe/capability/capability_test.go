package capability

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLackingCapabilities(t *testing.T) {
	const all = 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW | 1<<unix.CAP_BPF
	for effective, want := range map[uint64][]string{
		all: nil,
		all&^(1<<unix.CAP_BPF) | 1<<unix.CAP_SYS_ADMIN: nil,
		all &^ (1 << unix.CAP_BPF):                     {"BPF"},
		1 << unix.CAP_BPF:                              {"NET_ADMIN", "NET_RAW"},
		0:                                              {"NET_ADMIN", "NET_RAW", "BPF"},
	} {
		if got := lacking(effective, Probing); !slices.Equal(got, want) {
			t.Errorf("%#x lacks %v, want %v", effective, got, want)
		}
	}
}
