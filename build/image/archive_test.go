package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func build(t *testing.T, content string) []byte {
	t.Helper()
	folder := t.TempDir()
	binary, output := filepath.Join(folder, "prober"), filepath.Join(folder, "image.tar")
	if err := os.WriteFile(binary, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	platforms := []string{"linux/amd64=" + binary, "linux/arm64=" + binary}
	if err := run("localhost/tcpprobe:dev", output, platforms); err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

func TestSameFilesGiveSameBytes(t *testing.T) {
	first := build(t, "one")
	if !bytes.Equal(first, build(t, "one")) {
		t.Error("the same binary gave another archive")
	}
	if bytes.Equal(first, build(t, "two")) {
		t.Error("another binary gave the same archive")
	}
}

func TestRefusesWhatIsNoPlatform(t *testing.T) {
	output := filepath.Join(t.TempDir(), "image.tar")
	for _, argument := range []string{"prober", "linux/amd64/v8/x/y=prober", "linux/amd64=/no/such/file"} {
		if err := run("a:b", output, []string{argument}); err == nil {
			t.Errorf("%q: no error", argument)
		}
	}
	if _, err := os.Stat(output); err == nil {
		t.Error("a failed build left an archive")
	}
}
