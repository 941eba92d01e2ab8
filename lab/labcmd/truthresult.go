package labcmd

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab/labcmd/truth"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// truthResult is the whole matrix, as `-o json` prints it.
type truthResult struct {
	Cells          []truthCell `json:"cells"`
	Decided        int         `json:"decided"`        // cells in which it is known what connections suffer
	Contradictions int         `json:"contradictions"` // of those
	Inconclusive   int         `json:"inconclusive"`   // of those
	Uncovered      int         `json:"uncovered"`      // of those
}

// mostInconclusive is the aim for the share of decided cells in which the verdict is not.
const mostInconclusive = 0.02

func (m *truthMatrix) result() truthResult {
	t := truthResult{Cells: slices.Clone(m.cells)}
	order := map[string]int{}
	for i, r := range m.rules {
		order[r.Name] = i
	}
	slices.SortStableFunc(t.Cells, func(a, b truthCell) int {
		return cmp.Or(cmp.Compare(order[a.Rule], order[b.Rule]), cmp.Compare(a.Paths, b.Paths),
			cmp.Compare(a.Family, b.Family))
	})
	for _, c := range t.Cells {
		if c.Is != truth.Open {
			t.Decided++
		}
		switch c.Is {
		case truth.Contradiction:
			t.Contradictions++
		case truth.Inconclusive:
			t.Inconclusive++
		case truth.Uncovered:
			t.Uncovered++
		}
	}
	return t
}

// verdict returns Fail if there is a contradiction.
func (t truthResult) verdict() report.Verdict {
	if t.Contradictions > 0 {
		return report.Fail
	}
	return report.Pass
}

func (t truthResult) write(w io.Writer, format string) error {
	if format == cli.JSON {
		return json.NewEncoder(w).Encode(t)
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "RULE\tPATHS\tFAMILY\tSIZE\tKERNEL\tVERDICT\tREASON\tIS")
	for _, c := range t.lines() {
		fmt.Fprintf(out, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Rule, c.Paths, c.Family, c.Kernel.Size,
			c.Kernel.Describe(c.State), c.Result.Verdict, c.Result.Reason, c.Is)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, c := range t.Cells {
		if c.Is == truth.Contradiction {
			fmt.Fprintf(w, "%s, %s, %d paths, size %s: %s. Connections: %s. %s/%s: %s\n", c.Rule, c.Family, c.Paths,
				c.Kernel.Size, c.Why, c.Kernel.Describe(c.State), c.Result.Verdict, c.Result.Reason, c.Result.Message)
		}
	}
	_, err := fmt.Fprintf(w, "%d cells; what connections suffer is decided in %d. Of these %d contradictions, %d "+
		"inconclusive (%.1f %%; at most %.0f %% is the aim), %d with too few flows for what harms a share of "+
		"connections.\n", len(t.Cells), t.Decided, t.Contradictions, t.Inconclusive,
		100*float64(t.Inconclusive)/float64(max(t.Decided, 1)), 100*mostInconclusive, t.Uncovered)
	return err
}

// lines returns the cells with sizes together that suffer alike and have one judgement.
func (t truthResult) lines() (out []truthCell) {
	for _, c := range t.Cells {
		if n := len(out); n > 0 && out[n-1].alike(c) {
			out[n-1].Kernel = out[n-1].Kernel.Plus(c.Kernel)
			continue
		}
		out = append(out, c)
	}
	return out
}

// alike reports whether only the size tells two cells apart.
func (c truthCell) alike(d truthCell) bool {
	return c.Rule == d.Rule && c.Family == d.Family && c.Paths == d.Paths && c.State == d.State && c.Is == d.Is
}
