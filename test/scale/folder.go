package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const folders = "tcpprobe-scale-"

// newFolder creates a temporary folder that is locked until this program ends. It removes the folders of programs that
// were killed.
func newFolder() (path string, err error) {
	left, err := filepath.Glob(filepath.Join(os.TempDir(), folders+"*"))
	if err != nil {
		return "", err
	}
	for _, old := range left {
		if lock(old) == nil {
			if err := os.RemoveAll(old); err != nil {
				return "", fmt.Errorf("remove what an earlier run left: %w", err)
			}
		}
	}
	for range 10 { // another program may remove it before it is locked
		if path, err = os.MkdirTemp("", folders); err != nil {
			return "", err
		}
		if err = lock(path); err == nil {
			if _, err = os.Stat(path); err == nil {
				return path, nil
			}
		}
	}
	return "", err
}

// lock fails where another program has the lock. The descriptor stays open: the lock goes with the program.
func lock(folder string) error {
	fd, err := syscall.Open(folder, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", folder, err)
	}
	if err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		syscall.Close(fd)
		return fmt.Errorf("lock %s: %w", folder, err)
	}
	return nil
}
