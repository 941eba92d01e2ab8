// Command chart writes the templates of the Helm chart from the kustomize manifests, so that both install the same.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

func main() {
	source := flag.String("source", "../config/default", "folder of the kustomization")
	templates := flag.String("templates", "../charts/tcpprobe/templates", "folder of the chart's templates")
	flag.Parse()
	if err := generate(*source, *templates); err != nil {
		fmt.Fprintf(os.Stderr, "chart: %v\n", err)
		os.Exit(1)
	}
}

func generate(source, templates string) error {
	objects, err := kustomized(source)
	if err != nil {
		return err
	}
	written, err := files(objects, places)
	if err != nil {
		return err
	}
	if err := removeGenerated(templates); err != nil {
		return err
	}
	for name, text := range written {
		if err := os.WriteFile(filepath.Join(templates, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// kustomized is what "kubectl apply -k" would apply.
func kustomized(folder string) ([]*yaml.RNode, error) {
	all, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", folder, err)
	}
	return all.ToRNodeSlice(), nil
}

// removeGenerated leaves no file behind whose objects config/ no longer has.
func removeGenerated(templates string) error {
	names, err := filepath.Glob(filepath.Join(templates, "*.yaml"))
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(text), header) {
			continue
		}
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}
