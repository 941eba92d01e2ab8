package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// memory is the address space of a mutant, in KiB. Some mutants append without end.
const memory = 4 << 20

// judge runs the package's tests on each mutant, or only on the mutants of constants, and sets the outcomes.
func (p *Package) judge(ctx context.Context, constants bool) ([]*Mutant, error) {
	work, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	all := p.mutants(constants)
	files, err := p.schemata(all)
	if err != nil {
		return nil, err
	}
	program := filepath.Join(work, "all.test")
	if output, err := p.compile(ctx, program, files); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, output)
	}
	start := time.Now()
	if output, err := p.test(ctx, program, 0, 10*time.Minute); err != nil {
		return nil, fmt.Errorf("the tests fail without a mutant: %w\n%s", err, output)
	}
	limit := 10*time.Second + 10*time.Since(start)
	err = p.each(ctx, all, func(m *Mutant) error {
		if m.function != nil {
			return p.try(ctx, m, program, limit)
		}
		alone := filepath.Join(work, fmt.Sprint(m.number, ".test"))
		defer os.Remove(alone)
		changed := apply(m.file.text, []edit{{m.start, m.end, m.text}})
		if output, err := p.compile(ctx, alone, map[string][]byte{m.file.path: changed}); err != nil {
			m.outcome = invalid
			return ignoreExit(err, output)
		}
		return p.try(ctx, m, alone, limit)
	})
	return all, err
}

// each calls do for every mutant that may compile, on all processors, and prints the progress.
func (p *Package) each(ctx context.Context, all []*Mutant, do func(*Mutant) error) error {
	var waiting sync.WaitGroup
	var done atomic.Int64
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	failed := make(chan error, len(all))
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for _, m := range all {
		if m.outcome == invalid {
			done.Add(1)
			continue
		}
		for taken := false; !taken; {
			select {
			case places <- struct{}{}:
				taken = true
			case <-tick.C:
				fmt.Fprintf(os.Stderr, "mutate: %s: %d of %d\n", p.name, done.Load(), len(all))
			}
		}
		waiting.Go(func() {
			defer func() { done.Add(1); <-places }()
			if err := do(m); err != nil {
				failed <- err
			}
		})
	}
	waiting.Wait()
	close(failed)
	return errors.Join(ctx.Err(), <-failed)
}

// compile links the package's tests with these files in place of its own.
func (p *Package) compile(ctx context.Context, program string, files map[string][]byte) (output []byte, err error) {
	folder, err := os.MkdirTemp(filepath.Dir(program), "overlay-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, text := range files {
		overlay.Replace[path] = filepath.Join(folder, filepath.Base(path))
		if err := os.WriteFile(overlay.Replace[path], text, 0o600); err != nil {
			return nil, err
		}
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", file, "-o", program,
		".")
	build.Dir = p.folder
	return build.CombinedOutput()
}

// test runs the tests as the mutant with this number.
func (p *Package) test(ctx context.Context, program string, number int, limit time.Duration, more ...string) ([]byte,
	error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	limited := `ulimit -v ` + strconv.Itoa(memory) + ` && exec "$0" "$@"`
	run := exec.CommandContext(ctx, "sh", append([]string{"-c", limited, program, "-test.failfast", "-test.timeout=0"},
		more...)...)
	run.Dir = p.folder
	run.Env = append(os.Environ(), environment+"="+strconv.Itoa(number), "GOTRACEBACK=none")
	output, err := run.CombinedOutput()
	return output, errors.Join(err, ctx.Err())
}

// try runs the short tests first, which kill most mutants.
func (p *Package) try(ctx context.Context, m *Mutant, program string, limit time.Duration) error {
	output, err := p.test(ctx, program, m.number, limit, "-test.short")
	if err == nil {
		output, err = p.test(ctx, program, m.number, limit)
	}
	switch {
	case err == nil:
		m.outcome = survived
	case errors.Is(err, context.DeadlineExceeded):
		m.outcome = timedOut
	default:
		m.outcome = killed
	}
	return ignoreExit(err, output)
}

// ignoreExit returns only errors of running the mutant, not its own failure.
func ignoreExit(err error, output []byte) error {
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return fmt.Errorf("%w\n%s", err, output)
}
