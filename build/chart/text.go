package main

import (
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// namespaces are those of config/default, and their templates in the chart. They are replaced wherever they appear: as
// a name, in a flag, in an expression or a message of the admission policy.
var namespaces = []struct{ name, template string }{
	{"tcpprobe-system", `{{ .Release.Namespace }}`},
	{"tcpprobe-probes", `{{ include "tcpprobe.probeNamespace" . }}`},
}

// template is the object's text with templates in place of marks and namespaces.
func template(object *yaml.RNode, places []place) (string, error) {
	quoteNamespaces(object.YNode())
	text, err := object.String()
	if err != nil {
		return "", err
	}
	text = strings.ReplaceAll(text, "{{", `{{ "{{" }}`) // Helm would take the source's own braces for templates
	for i, p := range places {
		text = p.fillIn(text, mark(i))
		if strings.Contains(text, mark(i)) {
			return "", fmt.Errorf(
				"%s: the field is not the end of its line in the printed object, so no template can be put there", p)
		}
	}
	return withNamespaces(text)
}

// quoteNamespaces keeps a namespace a string that YAML would read as a number, such as 1.
func quoteNamespaces(n *yaml.Node) {
	for _, namespace := range namespaces {
		if n.Kind == yaml.ScalarNode && n.Value == namespace.name {
			n.Style = yaml.DoubleQuotedStyle
		}
	}
	for _, c := range n.Content {
		quoteNamespaces(c)
	}
}

func withNamespaces(text string) (string, error) {
	for _, namespace := range namespaces {
		longer := regexp.MustCompile(`[a-z0-9-]+` + namespace.name + `|` + namespace.name + `[a-z0-9-]+`)
		if name := longer.FindString(text); name != "" {
			return "", fmt.Errorf("%s contains the namespace %s, which the chart replaces: give it another name in config/",
				name, namespace.name)
		}
		text = strings.ReplaceAll(text, namespace.name, namespace.template)
	}
	return text, nil
}

// fillIn replaces the line with the place's mark, if there is one, by the place's template.
func (p place) fillIn(text, mark string) string {
	line := regexp.MustCompile(`(?m)^( *)(.*)` + mark + `\n`)
	return line.ReplaceAllStringFunc(text, func(found string) string {
		parts := line.FindStringSubmatch(found)
		return p.lines(parts[1], parts[2])
	})
}

func (p place) lines(indent, key string) string {
	written := indent + key + p.value + "\n"
	if p.block != "" {
		written = fmt.Sprintf("%s%s\n%s  {{- toYaml %s | nindent %d }}\n",
			indent, strings.TrimRight(key, " "), indent, p.block, len(indent)+2)
	}
	if p.onlyIf != "" {
		written = onlyIf(p.onlyIf, indent, written)
	}
	return written
}

func onlyIf(condition, indent, text string) string {
	return indent + "{{- if " + condition + " }}\n" + text + indent + "{{- end }}\n"
}
