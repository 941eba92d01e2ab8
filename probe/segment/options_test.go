package segment

import (
	"strings"
	"testing"
)

func TestOptionNames(t *testing.T) {
	for want, s := range map[string]Segment{
		"":                   {WindowScale: -1},
		"MSS, SACKPermitted": {MSS: 1460, WindowScale: -1, SACKPermitted: true},
		"MSS, WindowScale":   {MSS: 1460, WindowScale: 0},
		"Timestamps":         {WindowScale: -1, Timestamps: &Timestamps{}},
		"SACK":               {WindowScale: -1, SACK: make([]SACKBlock, 1)},
	} {
		if got := strings.Join(s.OptionNames(), ", "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The timestamps option is written as Linux does, behind two no-operations, and read again.
func TestTimestamps(t *testing.T) {
	packet := build(t, Segment{Source: here4, Destination: there4, Flags: PSH | ACK, WindowScale: -1,
		Payload: []byte("abc"), Timestamps: &Timestamps{Value: 0x01020304, Echo: 5}})
	if got, want := packet[40:52], "\x01\x01\x08\x0a\x01\x02\x03\x04\x00\x00\x00\x05"; string(got) != want {
		t.Errorf("% x", got)
	}
	s, _, err := Parse(packet, RawIP, len(packet))
	if err != nil || s.Timestamps == nil || *s.Timestamps != (Timestamps{0x01020304, 5}) || s.PayloadLen() != 3 {
		t.Errorf("%+v %v", s, err)
	}
}
