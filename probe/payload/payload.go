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
	// Ports are those on which servers of the protocol listen that must be known before anything is asked, because they
	// close on a plain request or speak first.
	Ports       []uint16
	Closes      bool // its servers close on a plain request, so it is tried first on Ports
	SpeaksFirst bool // the server speaks first
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
// first one may wait on the next. All are unfinished requests. A plain one and a ClientHello are for every port; before
// them comes the preset of a protocol whose servers close on both, on its port.
func Default(port uint16) (all []Source) {
	if p, known := of(port); known && p.Closes {
		all = append(all, p.Source())
	}
	return append(all, started(http), started(clientHello))
}

// SpeaksFirst reports whether the server is known to speak first, by the preset that was chosen or, without one, by its
// port.
func SpeaksFirst(preset string, port uint16) bool {
	p, known := Named(preset)
	if !known {
		p, _ = of(port)
	}
	return p.SpeaksFirst
}

// of returns the preset of the protocol that usually has that port.
func of(port uint16) (Preset, bool) {
	i := slices.IndexFunc(table, func(p Preset) bool { return slices.Contains(p.Ports, port) })
	if i < 0 {
		return Preset{}, false
	}
	return table[i], true
}

// Repeated is a source that repeats the bytes.
func Repeated(own []byte) Source {
	return func(n int) []byte { return bytes.Repeat(own, n/len(own)+1)[:n] }
}

func started(start string) Source {
	return func(n int) []byte { return []byte(start + strings.Repeat("x", n))[:n] }
}
