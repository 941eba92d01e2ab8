package run

import (
	"fmt"
	"os"
	"path/filepath"
)

// checkNamespace returns an error unless every thread of this process is in the network namespace of the given path, or
// with "" in that of the first thread. A run uses goroutines, which may run on any thread.
func checkNamespace(path string) error {
	if path == "" {
		path = "/proc/self/ns/net"
	}
	home, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("the network namespace to probe from: %w", err)
	}
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		return err
	}
	for _, t := range threads {
		at, err := os.Stat(t)
		if os.IsNotExist(err) {
			continue // the thread has ended
		}
		if err != nil {
			return fmt.Errorf("the network namespace of a thread: %w", err)
		}
		if !os.SameFile(home, at) {
			return fmt.Errorf("%s is in another network namespace than %s: probe from a process that lives in one", t, path)
		}
	}
	return nil
}
