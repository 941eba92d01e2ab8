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
	config := flag.String("config", "../config", "folder of the kustomizations")
	templates := flag.String("templates", "../charts/tcpprobe/templates", "folder of the chart's templates")
	flag.Parse()
	if err := generate(*config, *templates); err != nil {
		fmt.Fprintf(os.Stderr, "chart: %v\n", err)
		os.Exit(1)
	}
}

// sources are the kustomizations whose objects the chart has.
var sources = []string{"default", "monitoring"}

func generate(config, templates string) error {
	var objects []*yaml.RNode
	for _, folder := range sources {
		some, err := kustomized(filepath.Join(config, folder))
		if err != nil {
			return err
		}
		objects = append(objects, some...)
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

// kustomized has the objects that "kubectl apply -k" would apply.
func kustomized(folder string) ([]*yaml.RNode, error) {
	all, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", folder, err)
	}
	return all.ToRNodeSlice(), nil
}

// removeGenerated removes all generated templates, so that none is left whose objects config/ no longer has.
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
