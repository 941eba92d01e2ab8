// Command code writes the Go code that is generated from the tables of package probe: the parts of the schema about
// variants, and the constants of the reasons. go generate runs it in the folder of package v1alpha1.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"log"
	"os"

	"github.com/tcpprobe/tcpprobe/internal/tablegen/section"
	"github.com/tcpprobe/tcpprobe/probe/reason"
)

func main() {
	log.SetFlags(0)
	if err := errors.Join(
		section.Rewrite("scenario.go", map[string][]string{"variant-enum": variantEnum(), "variants": variantsMember(),
			"presets": presetsMember(), "connections": connectionsMember(), "idle": idleMember()}),
		section.Rewrite("finding.go", map[string][]string{"variants": findingVariants()}),
		section.Rewrite("spec.go", map[string][]string{"closed-ports": {closedPortsRule()}, "time": {timeRule()}}),
		writeReasons("../../probe/report/reasons.go"),
	); err != nil {
		log.Fatal(err)
	}
}

// writeReasons writes a constant for each reason of the prober.
func writeReasons(file string) error {
	var b bytes.Buffer
	b.WriteString("// Code generated from package reason. DO NOT EDIT.\n\npackage report\n")
	verdict := ""
	for _, r := range reason.All() {
		if r.Verdict != verdict {
			if verdict != "" {
				b.WriteString(")\n")
			}
			verdict = r.Verdict
			fmt.Fprintf(&b, "\n// Reasons of %s%s.\nconst (\n", verdict, byWhom[verdict])
		}
		fmt.Fprintf(&b, "// %s\n%s Reason = %q\n", r.Brief, r.Name, r.Name)
	}
	b.WriteString(")\n")
	code, err := format.Source(b.Bytes())
	if err != nil {
		return err
	}
	return os.WriteFile(file, code, 0o644)
}

// byWhom is added to the comment of those verdicts whose reasons the operator gives too.
var byWhom = map[string]string{reason.Inconclusive: " that the prober itself gives"}
