package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Report is the result of all packages.
type Report struct {
	Packages []Score  `json:"packages"`
	Stale    []string `json:"stale,omitempty"` // named as equivalent, but no survivor
}

// Score is the result of one package. Mutants that do not compile do not count.
type Score struct {
	Package    string    `json:"package"`
	Mutants    int       `json:"mutants"`
	Killed     int       `json:"killed"`
	TimedOut   int       `json:"timedOut"` // of the killed
	Equivalent []*Mutant `json:"equivalent"`
	Survivors  []*Mutant `json:"survivors"`
}

func (r *Report) add(name string, mutants []*Mutant, known map[string]string) {
	s := Score{Package: name, Equivalent: []*Mutant{}, Survivors: []*Mutant{}}
	for _, m := range mutants {
		if m.outcome == invalid {
			continue
		}
		s.Mutants++
		m.Reason = known[m.Name]
		switch {
		case m.outcome == timedOut:
			s.TimedOut++
			s.Killed++
		case m.outcome == killed:
			s.Killed++
		case m.Reason != "":
			s.Equivalent = append(s.Equivalent, m)
		default:
			s.Survivors = append(s.Survivors, m)
		}
	}
	r.Packages = append(r.Packages, s)
}

// addStale adds the names in the list of equivalent mutants that have not survived, of the files that were mutated.
func (r *Report) addStale(packages []*Package, known map[string]string) {
	used := map[string]bool{}
	for _, s := range r.Packages {
		for _, m := range s.Equivalent {
			used[m.Name] = true
		}
	}
	for name := range known {
		file, _, _ := strings.Cut(strings.SplitN(name, ":", 2)[0], " ")
		for _, p := range packages {
			if !used[name] && slices.ContainsFunc(p.files, func(f *File) bool { return f.mutated && f.name == file }) {
				r.Stale = append(r.Stale, name)
			}
		}
	}
	slices.Sort(r.Stale)
}

func (r *Report) clean() bool {
	return len(r.Stale) == 0 && !slices.ContainsFunc(r.Packages, func(s Score) bool { return len(s.Survivors) > 0 })
}

// WriteText writes the report for people.
func (r *Report) WriteText(out io.Writer) error {
	var text strings.Builder
	for _, s := range r.Packages {
		share := 100 * float64(s.Killed) / float64(cmp.Or(s.Mutants, 1))
		fmt.Fprintf(&text, "%-24s %4d mutants, %4d killed (%.1f %%), %d equivalent, %d survive\n",
			s.Package, s.Mutants, s.Killed, share, len(s.Equivalent), len(s.Survivors))
		for _, m := range s.Survivors {
			fmt.Fprintf(&text, "  %s  %s\n", m.Place, m.Name)
		}
	}
	for _, name := range r.Stale {
		fmt.Fprintf(&text, "named as equivalent, but no survivor: %s\n", name)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// parseEquivalent reads the list of equivalent mutants: on one line the name, and below it, indented, why no test can
// tell the mutant from the original. Lines that begin with # are comments.
func parseEquivalent(text string) (map[string]string, error) {
	known := map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "\t") && name == "":
			return nil, fmt.Errorf("a reason without a mutant: %s", line)
		case strings.HasPrefix(line, "\t"):
			known[name] = strings.TrimSpace(known[name] + " " + strings.TrimSpace(line))
		default:
			if name = line; known[name] != "" {
				return nil, fmt.Errorf("named twice: %s", name)
			}
			known[name] = ""
		}
	}
	var err error
	for name, reason := range known {
		if reason == "" {
			err = errors.Join(err, fmt.Errorf("no reason is given for %s", name))
		}
	}
	return known, err
}
