package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// insertMarks inserts a mark into the objects at each place. The marks are replaced by templates in the printed text,
// because a template is no YAML value.
func insertMarks(objects []*yaml.RNode, places []place) error {
	var failures []error
	for i, p := range places {
		matches := 0
		for _, o := range objects {
			if o.GetKind() != p.kind || (p.name != "" && o.GetName() != p.name) {
				continue
			}
			matches++
			if err := p.mark(o, mark(i)); err != nil {
				failures = append(failures, fmt.Errorf("%s: %w", p, err))
			}
		}
		if matches == 0 {
			failures = append(failures,
				fmt.Errorf("%s: config/default has no such object; correct or remove the entry in places.go", p))
		}
	}
	return errors.Join(failures...)
}

func mark(i int) string { return fmt.Sprintf("PLACE-%03d-OF-THE-CHART", i) }

func (p place) String() string {
	parts := []string{p.kind, p.name, strings.Join(p.path, ".")}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

func (p place) mark(object *yaml.RNode, mark string) error {
	parent, last := p.path[:len(p.path)-1], p.path[len(p.path)-1]
	if last == "-" {
		return p.appendTo(object, parent, mark)
	}
	present, err := object.Pipe(yaml.Lookup(p.path...))
	if err != nil {
		return err
	}
	switch {
	case present == nil && p.onlyIf == "":
		return errors.New("nothing is there to be replaced; correct the path in places.go")
	case present != nil && p.onlyIf != "":
		return errors.New("config/default has this field now; an optional place would hide it")
	}
	if present != nil {
		present.SetYNode(yaml.NewScalarRNode(mark).YNode()) // replace the node, because its value may be quoted, or a map
		return nil
	}
	holder, err := object.Pipe(yaml.LookupCreate(yaml.MappingNode, parent...))
	if err != nil {
		return err
	}
	return holder.PipeE(yaml.SetField(last, yaml.NewScalarRNode(mark)))
}

func (p place) appendTo(object *yaml.RNode, list []string, mark string) error {
	found, err := object.Pipe(yaml.Lookup(list...))
	if err != nil {
		return err
	}
	if found == nil || found.YNode().Kind != yaml.SequenceNode {
		return errors.New("no list is there to be appended to; correct the path in places.go")
	}
	return found.PipeE(yaml.Append(yaml.NewScalarRNode(mark).YNode()))
}
