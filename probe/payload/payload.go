package payload

import (
	"bytes"
	"slices"
	"strings"
)

// Preset is what is sent to servers of one protocol: a start, then as many x as are needed.
type Preset struct {
	Name     string
	Start    string
	Sends    string // what is sent, for the documentation
	Harmless string // why that does no harm, or what it costs
}

// Source returns the first n bytes of what a connection carries.
type Source func(n int) []byte

// Presets returns the presets in the order of the documents.
func Presets() []Preset { return slices.Clone(table) }

// Names returns the names of the presets.
func Names() (names []string) {
	for _, p := range table {
		names = append(names, p.Name)
	}
	return names
}

// Named returns the preset of that name.
func Named(name string) (Preset, bool) {
	i := slices.IndexFunc(table, func(p Preset) bool { return p.Name == name })
	if i < 0 {
		return Preset{}, false
	}
	return table[i], true
}

// Source is what a connection carries by the preset.
func (p Preset) Source() Source { return started(p.Start) }

// Default are the sources where nothing is set, in the order in which they are tried: an application that closes on the
// first one may wait on the second. Both are unfinished requests, to which none answers.
func Default() []Source { return []Source{started(http), started(clientHello)} }

// Repeated is a source that repeats the bytes.
func Repeated(own []byte) Source {
	return func(n int) []byte { return bytes.Repeat(own, n/len(own)+1)[:n] }
}

func started(start string) Source {
	return func(n int) []byte { return []byte(start + strings.Repeat("x", n))[:n] }
}
