// Command mutate changes a package in one place after another, runs its tests on each of these mutants, and lists
// those that no test notices.
//
//	mutate [-C FOLDER] [-equivalent FILE] [-constants] [-o json] PACKAGE|FILE...
//
// A mutant survives if the package's own tests pass with it. The list of equivalent mutants names survivors that
// behave like the original, with the reason. The exit code is 1 for any other survivor, and for a name in that list
// that is no survivor.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	top := flag.String("C", ".", "folder of the module")
	list := flag.String("equivalent", "", "file that names equivalent mutants, from the module's folder")
	constants := flag.Bool("constants", false, "mutate constants and variables of the package alone")
	format := flag.String("o", "text", "text or json")
	flag.Parse()
	if flag.NArg() == 0 || *format != "text" && *format != "json" {
		fmt.Fprintln(os.Stderr, "usage: mutate [-C FOLDER] [-equivalent FILE] [-constants] [-o json] PACKAGE|FILE...")
		os.Exit(2)
	}
	clean, err := mutate(*top, *list, *constants, *format, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if !clean {
		os.Exit(1)
	}
}

// mutate runs until it is done or interrupted, and writes the report.
func mutate(top, list string, constants bool, format string, arguments []string) (clean bool, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	report, err := run(ctx, top, list, constants, arguments)
	if err != nil {
		return false, err
	}
	if format == "json" {
		err = json.NewEncoder(os.Stdout).Encode(report)
	} else {
		err = report.WriteText(os.Stdout)
	}
	return report.clean(), err
}

func run(ctx context.Context, top, list string, constants bool, arguments []string) (*Report, error) {
	known := map[string]string{}
	if list != "" {
		text, err := os.ReadFile(filepath.Join(top, list))
		if err != nil {
			return nil, err
		}
		if known, err = parseEquivalent(string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", list, err)
		}
	}
	packages, err := load(ctx, top, arguments)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	for _, p := range packages {
		mutants, err := p.judge(ctx, constants)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		report.add(p.name, mutants, known)
	}
	if !constants { // with -constants the other named mutants were not tried
		report.addStale(packages, known)
	}
	return report, nil
}
