package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// result has all published results of a benchmark.
type result struct {
	Rounds     int      `json:"rounds"`
	Kernel     string   `json:"kernel"`
	Processors int      `json:"processors"`
	Figures    []figure `json:"figures"`
}

func summarize(r []round) result {
	var u unix.Utsname
	_ = unix.Uname(&u) // cannot fail with a valid pointer
	return result{len(r), unix.ByteSliceToString(u.Release[:]), runtime.NumCPU(), figures(r)}
}

// publish prints the result, and also writes it to a file as JSON.
func (r result) publish(o options) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if err := os.MkdirAll(o.folder, 0o755); err != nil {
		return err
	}
	file := filepath.Join(o.folder, "bench.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	if o.output == "json" {
		_, err = os.Stdout.Write(text)
		return err
	}
	r.table(os.Stdout)
	fmt.Println("\nThe same as JSON:", file)
	return nil
}

func (r result) table(w io.Writer) {
	fmt.Fprintf(w, "%d rounds, Linux %s, %d processors\n", r.Rounds, r.Kernel, r.Processors)
	for _, f := range r.Figures {
		fmt.Fprintf(w, "\n%-68s %9s %9s %9s\n", f.Name+", "+f.Unit, "min", "median", "max")
		for _, row := range f.Rows {
			fmt.Fprintf(w, "  %-66s %9s %9s %9s%s\n", row.Of, digits(row.Min), digits(row.Median), digits(row.Max),
				f.Aim.remark(row.Of))
		}
	}
}

// digits formats a number with at least three digits.
func digits(v float64) string {
	decimals := 0
	for limit := 100.0; math.Abs(v) < limit && decimals < 2; limit /= 10 {
		decimals++
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// remark returns the text after the row of the aim.
func (a aim) remark(of string) string {
	if a.Of != of {
		return ""
	}
	met := "MISSED"
	if a.Met {
		met = "met"
	}
	if a.AtLeast > 0 {
		return fmt.Sprintf("   aim: at least %g, %s", a.AtLeast, met)
	}
	return fmt.Sprintf("   aim: at most %g, %s", a.AtMost, met)
}

// explain profiles the figures that miss their aim: one more run each.
func (s *testbed) explain(ctx context.Context, o options, r result) error {
	orders := map[string]task{
		rateFigure: {Targets: s.targets(), Exchanges: o.exchanges, Profile: "bench-exchanges.pprof"},
		wrapFigure: {Targets: s.near(), Flows: wrapFlows, Profile: "bench-wrap.pprof"},
	}
	orders[cpuFigure] = orders[rateFigure]
	done := map[string]bool{}
	for _, f := range r.Figures {
		profiled, ok := orders[f.Name]
		if !ok || f.Aim.Met || done[profiled.Profile] {
			continue
		}
		done[profiled.Profile] = true
		if err := s.profile(ctx, o.folder, f.Name, profiled); err != nil {
			return err
		}
	}
	return nil
}

func (s *testbed) profile(ctx context.Context, folder, of string, o task) error {
	o.Profile = filepath.Join(folder, o.Profile)
	var unused any
	if err := s.client(ctx, o, &unused); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "\nWhere the time goes in %q (all of it: go tool pprof %s):\n", of, o.Profile)
	top := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-nodecount=12", o.Profile)
	top.Stdout, top.Stderr = os.Stderr, os.Stderr
	return top.Run()
}
