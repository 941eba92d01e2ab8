package labcmd

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// catalogueResult is the result for the whole catalogue, as `-o json` prints it.
type catalogueResult struct {
	Results  []ruleResult `json:"inspections"`
	Expected int          `json:"due"`       // variants that the rules affect, and so must fail
	Failed   int          `json:"convicted"` // those of them that failed
	Others   int          `json:"others"`    // variants that failed without being affected
	Rules    int          `json:"rules"`     // rules that affect a variant, counted for each family
	Named    int          `json:"named"`     // those of the rules that got their right name
}

// naming is the share of rules that must get their right names.
const naming = 0.95

func newCatalogueResult(inspected chan []ruleResult) catalogueResult {
	var r catalogueResult
	close(inspected)
	for found := range inspected {
		r.Results = append(r.Results, found...)
	}
	slices.SortFunc(r.Results, compareRuleResults)
	for _, i := range r.Results {
		r.Expected, r.Failed, r.Others = r.Expected+i.Expected, r.Failed+i.Failed, r.Others+i.Others
		if i.Expected > 0 {
			r.Rules++
		}
		if i.Expected > 0 && i.rightlyNamed() {
			r.Named++
		}
	}
	return r
}

// verdict returns Pass if all affected variants failed, no others did, and nearly all rules got their right names.
func (r catalogueResult) verdict() report.Verdict {
	if r.Failed < r.Expected || r.Others > 0 || float64(r.Named) < naming*float64(r.Rules) {
		return report.Fail
	}
	return report.Pass
}

func (r catalogueResult) write(w io.Writer, format string) error {
	if format == cli.JSON {
		return json.NewEncoder(w).Encode(r)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RULE\tFAMILY\tBITES\tCONVICTED\tOTHERS\tNAMED\tIS CALLED")
	for _, i := range r.Results {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\t%s\n", i.Rule, i.Family, i.Expected, i.Failed, i.Others, cmp.Or(i.Named, "-"),
			cmp.Or(i.RightName, "-"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d of %d variants that a rule bites were convicted, %d others; %d of %d rules were named rightly "+
		"(95 %% must).\n",
		r.Failed, r.Expected, r.Others, r.Named, r.Rules)
	_, err := io.WriteString(w, strings.Join(r.differences(), ""))
	return err
}

// differences describes every variant whose result was not the expected one.
func (r catalogueResult) differences() (out []string) {
	for _, i := range r.Results {
		for _, v := range i.Variants {
			if !v.asExpected() {
				out = append(out, fmt.Sprintf("%s, %s, %s: %s/%s, due is %s: %s\n", i.Rule, i.Family, v.Variant, v.Verdict,
					v.Reason, cmp.Or(v.Expected, "no conviction"), v.Message))
			}
		}
	}
	return out
}
