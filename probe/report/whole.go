package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tcpprobe/tcpprobe/probe/evidence"
)

// whole is a report together with the fields that its JSON leaves out. The worker sends it to its supervisor.
type whole struct {
	Report  Report
	LeftOut []leftOut // one for each result
}

// leftOut has the fields that the JSON of a result leaves out.
type leftOut struct {
	Answers *Question
	Marks   []evidence.Mark // for each line of evidence
}

// WriteWhole writes r with all its fields for another process of this program.
func (r Report) WriteWhole(w io.Writer) error {
	out := whole{Report: r, LeftOut: make([]leftOut, len(r.Results))}
	for i, res := range r.Results {
		out.LeftOut[i] = leftOut{res.Answers, res.Evidence.Marks()}
	}
	if _, err := w.Write(append(marshal(out), '\n')); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// ReadWhole reads what WriteWhole wrote.
func ReadWhole(r io.Reader) (Report, error) {
	d := json.NewDecoder(io.LimitReader(r, MaxReport))
	var in whole
	if err := d.Decode(&in); err != nil {
		return Report{}, fmt.Errorf("read the report: not a whole JSON document: %w", err)
	}
	out := in.Report
	if len(in.LeftOut) != len(out.Results) {
		return Report{}, errors.New("read the report: it is not whole")
	}
	for i := range out.Results {
		res, more := &out.Results[i], in.LeftOut[i]
		if len(more.Marks) != len(res.Evidence) {
			return Report{}, errors.New("read the report: its evidence is not whole")
		}
		res.Answers, res.Evidence = more.Answers, res.Evidence.Marked(more.Marks)
	}
	return out, out.check(d)
}
