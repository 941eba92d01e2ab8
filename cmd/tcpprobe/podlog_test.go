package main

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReportIsFoundInAPodsLog(t *testing.T) {
	long := `{"run":"` + strings.Repeat("x", 1<<18) + "\"}\n"
	for text, want := range map[string]string{
		"":                                     "",
		"{}\n":                                 "{}\n",
		"{\n  \"run\": \"r\"\n}":               "{\n  \"run\": \"r\"\n}",
		long:                                   long,
		"prober: 1 of 2 checks done\n" + long:  long,
		long + "prober: the log is full\n":     long,
		"panic: no\n\n" + "goroutine 1:\n{}\n": "{}\n",
		strings.Repeat("prober: ", 1<<16) + "\n{}\n": "{}\n",
		"{}\n{}\n": "{}\n{}\n", // two reports are not accepted as one
		"{}\nmore": "{}\nmore",
	} {
		for name, in := range map[string]io.Reader{"whole": strings.NewReader(text),
			"byte by byte": iotest.OneByteReader(strings.NewReader(text))} {
			got, err := io.ReadAll(withoutLog(in))
			if err != nil || string(got) != want {
				t.Errorf("%.60q %s: %.60q (%d bytes) %v, want %.60q (%d bytes)", text, name, got, len(got), err, want, len(want))
			}
		}
	}
}
