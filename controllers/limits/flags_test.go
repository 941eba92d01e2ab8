package limits

import (
	"flag"
	"io"
	"strings"
	"testing"
)

// TestFlagsOfTheCaps: each flag has its default, accepts the least value that lets anything run, and refuses less.
func TestFlagsOfTheCaps(t *testing.T) {
	for name, c := range map[string]struct {
		def, least, tooLittle string
		value                 func(*Caps) int
		want                  int
	}{
		"max-pods":               {"200", "1", "0", func(c *Caps) int { return c.Total }, 1},
		"max-pods-per-tcpprobe":  {"50", "1", "0", func(c *Caps) int { return c.PerProbe }, 1},
		"max-pods-per-node":      {"5", "1", "0", func(c *Caps) int { return c.PerNode }, 1},
		"max-pods-per-second":    {"20", "1", "0", func(c *Caps) int { return c.PerSecond }, 1},
		"max-packets-per-node":   {"30000", "20", "19", func(c *Caps) int { return c.NodePackets }, 20},
		"max-packets-per-target": {"10000", "20", "19", func(c *Caps) int { return c.TargetPackets }, 20},
	} {
		var caps Caps
		f := flag.NewFlagSet("manager", flag.ContinueOnError)
		f.SetOutput(io.Discard)
		caps.BindFlags(f)
		if known := f.Lookup(name); known == nil || known.DefValue != c.def || caps != DefaultCaps {
			t.Fatalf("--%s: %+v; want default %s", name, known, c.def)
		}
		for _, text := range []string{c.tooLittle, "-1", "many", ""} {
			if err := f.Set(name, text); err == nil || !strings.Contains(err.Error(), "need a number, "+c.least+" or more") {
				t.Errorf("--%s=%s: %v", name, text, err)
			}
		}
		if err := f.Set(name, c.least); err != nil || c.value(&caps) != c.want {
			t.Errorf("--%s=%s: %v, %d", name, c.least, err, c.value(&caps))
		}
	}
	if got := (bound{}).String(); got != "" {
		t.Errorf("a zero bound is %q", got)
	}
}
