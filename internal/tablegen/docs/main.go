// Command docs writes the lists of variants, rules and reasons in the documents. It is run by go generate.
package main

import (
	"errors"
	"log"
	"path/filepath"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/internal/tablegen/section"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
)

//go:generate go run .

const folder = "../../../docs"

func main() {
	log.SetFlags(0)
	if err := errors.Join(
		section.Rewrite(filepath.Join(folder, "scenarios.md"), scenarios()),
		section.Rewrite(filepath.Join(folder, "resource.md"), resource()),
	); err != nil {
		log.Fatal(err)
	}
}

// scenarios are the sections of scenarios.md.
func scenarios() map[string][]string {
	sections := map[string][]string{"variants": variants(), "rules": rules(), "presets": presets(),
		"reasons, everywhere": reasons("")}
	for name := range scenario.Registry {
		sections["reasons, "+name] = reasons(name)
	}
	return sections
}

// resource are the sections of resource.md.
func resource() map[string][]string {
	return map[string][]string{
		"reasons, Accepted":    explanations(v1alpha1.ConditionAccepted),
		"reasons, Complete":    explanations(v1alpha1.ConditionComplete),
		"reasons, Covered":     explanations(v1alpha1.ConditionCovered),
		"reasons, PathHealthy": explanations(v1alpha1.ConditionPathHealthy),
		"reasons, sources":     explanations(v1alpha1.SubjectSource),
		"reasons, results":     explanations(v1alpha1.SubjectResult),
	}
}
