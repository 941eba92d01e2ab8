package main

import (
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const header = "# Generated from config/ by \"go generate ./api/v1alpha1\". Change config/ or build/chart/places.go.\n"

// optional has the files that are rendered only if a value is set.
var optional = map[string]string{"crds.yaml": ".Values.crds.enabled", "monitoring.yaml": ".Values.monitoring.enabled"}

// files are the chart's generated templates, by name. They have every object but the manager's Namespace, which Helm
// creates.
func files(objects []*yaml.RNode, places []place) (map[string]string, error) {
	if err := insertMarks(objects, places); err != nil {
		return nil, err
	}
	texts := map[string][]string{}
	for _, o := range objects {
		if o.GetKind() == "Namespace" && o.GetName() == "tcpprobe-system" {
			continue
		}
		file := fileOf(o)
		text, err := template(o, places)
		if err != nil {
			return nil, err
		}
		texts[file] = append(texts[file], text)
	}
	all := map[string]string{}
	for file, t := range texts {
		body := strings.Join(t, "---\n")
		if condition := optional[file]; condition != "" {
			body = onlyIf(condition, "", body)
		}
		all[file] = header + body
	}
	return all, nil
}

// fileOf is the template file of an object. It follows from the object's kind and group, so a new object in config/
// gets into the chart without a change here.
func fileOf(o *yaml.RNode) string {
	group, _, _ := strings.Cut(o.GetApiVersion(), "/")
	switch {
	case o.GetKind() == "CustomResourceDefinition":
		return "crds.yaml"
	case group == "monitoring.coreos.com":
		return "monitoring.yaml"
	case group == "rbac.authorization.k8s.io":
		return "rbac.yaml"
	case group == "admissionregistration.k8s.io" || o.GetName() == "probe-pods":
		return "pod-policy.yaml"
	case o.GetNamespace() == "tcpprobe-system":
		return "manager.yaml"
	}
	return "probe-namespace.yaml"
}
