package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// WriteLine writes r as one line of JSON, as probe pods and `tcpprobe run -o json` print it.
func (r Report) WriteLine(w io.Writer) error {
	if _, err := w.Write(append(marshal(r), '\n')); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Read reads one report. Only white space may follow it.
func Read(r io.Reader) (Report, error) {
	d := json.NewDecoder(io.LimitReader(r, MaxReport))
	var out Report
	if err := d.Decode(&out); err != nil {
		return Report{}, fmt.Errorf("read the report: not a whole JSON document: %w", err)
	}
	if err := out.check(d); err != nil {
		return Report{}, err
	}
	return out, nil
}

// check returns an error if this program cannot read the report, or if something follows it.
func (r Report) check(d *json.Decoder) error {
	if r.APIVersion != APIVersion {
		return fmt.Errorf("read the report: apiVersion is %.40q; this program reads %s", r.APIVersion, APIVersion)
	}
	for i, res := range r.Results {
		if !res.Verdict.known() {
			return fmt.Errorf("read the report: result %d has verdict %.40q; want Pass, Fail or Inconclusive", i, res.Verdict)
		}
	}
	if n := len(r.KernelConnections); n > plan.MaxSourceTargets {
		return fmt.Errorf("read the report: kernel connections to %d targets; at most %d", n, plan.MaxSourceTargets)
	}
	for i, k := range r.KernelConnections {
		if err := k.valid(); err != nil {
			return fmt.Errorf("read the report: kernel connections %d: %w", i, err)
		}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("read the report: something follows the document")
	}
	return nil
}

// Verdict returns the worst of the results' verdicts, beside those of what could not be asked. If nothing is left it
// returns Inconclusive.
func (r Report) Verdict() Verdict {
	var worst Verdict
	for _, res := range r.Results {
		if res.Reason != PeerZeroNotAsked {
			worst = Worst(worst, res.Verdict)
		}
	}
	return cmp.Or(worst, Inconclusive)
}
