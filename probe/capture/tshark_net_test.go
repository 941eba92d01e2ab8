//go:build net

package capture

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tshark reads from the golden file what the test expects: time, captured and original length, direction, comment.
func TestNetGoldenFile(t *testing.T) {
	const want = `1790942400.000000000|48|48|0x00000002|flow 1 of SequenceWrap/Push, sent: syn
1790942400.000090000|40|40|0x00000001|flow 1 of SequenceWrap/Push, received
1790942400.000200000|45|45|0x00000002|flow 1 of SequenceWrap/Push, sent: control
1790942400.000290000|40|56|0x00000001|flow 1 of SequenceWrap/Push, received
1790942400.000400000|45|45|0x00000002|flow 1 of SequenceWrap/Push, sent: suspect
1790942400.000500000|45|45|0x00000002|flow 1 of SequenceWrap/Push, sent: witness
1790942400.000590000|52|52|0x00000001|flow 1 of SequenceWrap/Push, received
1790942400.000595000|52|52|0x00000001|flow 1 of SequenceWrap/Push, received on a device without the guard
1790942400.000600000|40|40|0x00000002|flow 1 of SequenceWrap/Push, sent by this host's kernel and not by the prober
1790942400.000700000|60|60|0x00000002|flow 2 of Handshake, sent: syn
`
	name := filepath.Join(t.TempDir(), "golden.pcapng")
	if err := os.WriteFile(name, golden(t), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := exec.Command("tshark", "-r", name, "-T", "fields", "-E", "separator=|", "-e", "frame.time_epoch",
		"-e", "frame.cap_len",
		"-e", "frame.len", "-e", "frame.packet_flags_direction", "-e", "frame.comment").Output()
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	about, err := exec.Command("capinfos", "-k", "-M", name).Output()
	if err != nil || !strings.Contains(string(about), "rule PushAtZero: data at sequence 0 is lost") {
		t.Errorf("%v\n%s", err, about)
	}
}
