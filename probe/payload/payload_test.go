package payload

import (
	"bytes"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"HEAD /":                    "HEAD /",
		"a\r\nb\tc":                 "a\r\nb\tc",
		`a\r\nb\tc`:                 "a\r\nb\tc",
		`\0`:                        "\x00",
		`\00`:                       "\x000", // the digit is not part of it
		`\x00\xff\xFf`:              "\x00\xff\xff",
		`\x0a0`:                     "\n0",
		`\\x41`:                     `\x41`,
		`\\`:                        `\`,
		`\x00\x00\x00\x08\x04\xd2/`: "\x00\x00\x00\x08\x04\xd2/",
		"grün":                      "grün",
	} {
		if got, err := Decode(text); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, says := range map[string]string{
		`a\`:     "single backslash",
		`\q`:     `"\\q" is no escape; there are \xHH`,
		`C:\dir`: `"\\d" is no escape`,
		`\X00`:   `"\\X" is no escape`,
		`\x`:     "two hexadecimal digits",
		`\x1`:    "two hexadecimal digits",
		`\xg0`:   "two hexadecimal digits",
		`\x+1`:   "two hexadecimal digits",
		`\x-1`:   "two hexadecimal digits",
		`\ü`:     `"\\ü" is no escape`,
	} {
		if got, err := Decode(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %q, %v; want an error that says %q", text, got, err, says)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{"GET /", `\x00\0\\`, `\x0`, `\`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Decode(text)
		if err == nil && (len(got) > len(text) || !strings.Contains(text, `\`) && string(got) != text) {
			t.Errorf("%q: %q", text, got)
		}
	})
}

// Presets begin as they say, go on with x, and are all there is.
func TestPresets(t *testing.T) {
	for _, p := range Presets() {
		got, known := Named(p.Name)
		b := p.Source()(len(p.Start) + 2000)
		if !known || got.Name != p.Name || !bytes.Equal(b, []byte(p.Start+strings.Repeat("x", 2000))) {
			t.Errorf("%s: %t, %q", p.Name, known, b)
		}
		if p.Sends == "" || p.Harmless == "" || p.Start == "" {
			t.Errorf("%s says too little", p.Name)
		}
	}
	if _, known := Named("gopher"); known || len(Names()) != len(Presets()) {
		t.Errorf("%v", Names())
	}
	if b := Default(80)[0](7); string(b) != "GET /xx" {
		t.Errorf("%q", b)
	}
	if b := Repeated([]byte("ab"))(5); string(b) != "ababa" {
		t.Errorf("%q", b)
	}
}

// A preset is tried by itself only on the ports of a protocol whose servers close on everything else; and who speaks
// first is known by the preset, or else by the port.
func TestPorts(t *testing.T) {
	for port, first := range map[uint16]string{80: "GET /", 22: "GET /", 25: "GET /", 6379: "GET /",
		3306: "\x00\x3f\x00\x01", 5432: "\x00\x00\x27\x10", 27017: "\x34\x00\x00\x00"} {
		all := Default(port)
		if got := string(all[0](len(first))); got != first {
			t.Errorf("port %d: %q first, want %q", port, got, first)
		}
		if got := string(all[len(all)-2](5)); got != "GET /" || all[len(all)-1](1)[0] != 0x16 {
			t.Errorf("port %d: %q and a ClientHello do not follow", port, got)
		}
	}
	for _, c := range []struct {
		preset string
		port   uint16
		want   bool
	}{{"", 22, true}, {"", 25, true}, {"", 587, true}, {"", 3306, true}, {"", 80, false}, {"", 5432, false},
		{"mysql", 80, true}, {"ssh", 2222, true}, {"smtp", 26, true}, {"http", 22, false}} {
		if got := SpeaksFirst(c.preset, c.port); got != c.want {
			t.Errorf("preset %q, port %d speaks first: %t", c.preset, c.port, got)
		}
	}
}
