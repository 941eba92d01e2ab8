package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// sumsFile is what a signature is made of.
const sumsFile = "SHA256SUMS"

// checksums has a line for each file of the folder, for "sha256sum --check". The names are in lexical order.
func checksums(folder string) ([]byte, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	for _, e := range entries {
		if e.Name() == sumsFile {
			continue
		}
		sum, err := checksum(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&lines, "%s  %s\n", sum, e.Name())
	}
	return lines.Bytes(), nil
}

// checksum is the SHA-256 of a file in hexadecimal digits.
func checksum(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(content)), nil
}
