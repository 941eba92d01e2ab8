// Command image writes static binaries as an OCI image into one archive, without a daemon or a registry.
//
//	image -name localhost/tcpprobe:dev -output tcpprobe-image.tar linux/amd64=bin/amd64/manager,bin/amd64/prober …
//
// Each argument is one platform and its files; each file lands in the root folder, in a layer of its own, and the first
// is the entry point. The same files give the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	name := flag.String("name", "", "name and tag of the image")
	output := flag.String("output", "", "archive to write")
	flag.Parse()
	if *name == "" || *output == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: image -name NAME:TAG -output FILE OS/ARCH=FILE[,FILE]...")
		os.Exit(2)
	}
	if err := run(*name, *output, flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "image %s not written: %v\n", *name, err)
		os.Exit(1)
	}
}

func run(name, output string, platforms []string) error {
	index, err := newIndex(name, platforms)
	if err != nil {
		return err
	}
	return writeLayout(output, index)
}
