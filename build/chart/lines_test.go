package main

import (
	"encoding/json"
	"fmt"
	"slices"
)

// lines has the value at every path of objects, such as "Deployment tcpprobe-system/manager spec.replicas": "2".
type lines map[string]string

func nameOf(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	name := fmt.Sprint(metadata["name"])
	if namespace, is := metadata["namespace"]; is {
		name = fmt.Sprintf("%v/%s", namespace, name)
	}
	return fmt.Sprintf("%v %s", object["kind"], name)
}

// add adds the object. It reports whether the object is new.
func (l lines) add(object map[string]any) bool {
	name := nameOf(object)
	if _, is := l[name+" apiVersion"]; is {
		return false
	}
	for field, value := range object {
		l.flatten(name+" "+field, value)
	}
	return true
}

func (l lines) flatten(path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for field, inner := range v {
			l.flatten(path+"."+field, inner)
		}
		if len(v) > 0 {
			return
		}
	case []any:
		for i, inner := range v {
			l.flatten(fmt.Sprintf("%s[%d]", path, i), inner)
		}
		if len(v) > 0 {
			return
		}
	}
	text, _ := json.Marshal(value)
	l[path] = string(text)
}

// changes are the lines that differ, with "- " before those of l and "+ " before those of other.
func (l lines) changes(other lines) []string {
	var all []string
	for path, value := range l {
		if v, is := other[path]; !is || v != value {
			all = append(all, fmt.Sprintf("- %s: %s", path, value))
		}
	}
	for path, value := range other {
		if v, is := l[path]; !is || v != value {
			all = append(all, fmt.Sprintf("+ %s: %s", path, value))
		}
	}
	slices.Sort(all)
	return all
}
