package main

import "fmt"

// place is where a value of the chart is inserted into an object of config/default.
//
// Without onlyIf it replaces what the object has at the path. It is an error if the object has nothing there. With
// onlyIf it adds a field, which the object must not have. If the path ends in "-", it appends to a list.
type place struct {
	kind   string
	name   string // empty: every object of this kind
	path   []string
	value  string // what is written, a template of one line
	block  string // instead of value: an expression whose value is written as YAML
	onlyIf string // an expression
}

// metricsSecret is the Secret with the metrics' certificate, or empty.
const metricsSecret = `(include "tcpprobe.metricsSecret" .)`

var container = []string{"spec", "template", "spec", "containers", "[name=manager]"}

// places are the differences of the chart from config/default, besides the namespaces and what files.go does.
var places = []place{
	{kind: "CustomResourceDefinition", path: []string{"metadata", "annotations", "helm.sh/resource-policy"},
		value: "keep", onlyIf: ".Values.crds.keep"},

	// The image: the manager's, and what the admission policy lets probe pods run.
	{kind: "Deployment", name: "manager", path: in(container, "image"), value: `{{ include "tcpprobe.image" . | quote }}`},
	{kind: "ConfigMap", name: "probe-pods", path: []string{"data", "image"},
		value: `{{ include "tcpprobe.image" . | quote }}`},
	{kind: "ConfigMap", name: "probe-pods", path: []string{"data", "digests"},
		value: `{{ join "," .Values.image.acceptedDigests | quote }}`},
	{kind: "Deployment", name: "manager", path: in(container, "imagePullPolicy"), value: `{{ .Values.image.pullPolicy }}`},
	{kind: "ServiceAccount", path: []string{"imagePullSecrets"},
		block: ".Values.imagePullSecrets", onlyIf: ".Values.imagePullSecrets"},

	// The manager's pods.
	{kind: "Deployment", name: "manager", path: []string{"spec", "replicas"}, value: `{{ int64 .Values.replicas }}`},
	{kind: "Deployment", name: "manager", path: in(container, "resources"), block: ".Values.resources"},
	{kind: "Deployment", name: "manager", path: []string{"spec", "template", "spec", "nodeSelector"},
		block: ".Values.nodeSelector"},
	{kind: "Deployment", name: "manager", path: []string{"spec", "template", "spec", "tolerations"},
		block: ".Values.tolerations", onlyIf: ".Values.tolerations"},
	{kind: "NetworkPolicy", name: "manager", path: []string{"spec", "egress", "0", "ports"},
		value: `[{{ range $i, $port := .Values.apiServerPorts }}{{ if $i }}, {{ end }}{port: {{ int64 $port }}}{{ end }}]`},

	// What the manager allows, and how it creates probe pods. The admission policy reads some of it too.
	argument(`--host-network`, ".Values.hostNetwork"),
	{kind: "ConfigMap", name: "probe-pods", path: []string{"data", "hostNetwork"},
		value: `{{ .Values.hostNetwork | quote }}`},
	argument(`--prober-privileged`, ".Values.prober.privileged"),
	{kind: "ConfigMap", name: "probe-pods", path: []string{"data", "privileged"},
		value: `{{ .Values.prober.privileged | quote }}`},
	argument(`{{ printf "--address-ceiling=%s" (join "," .Values.addressCeiling) | quote }}`, ".Values.addressCeiling"),
	argument(`--past-egress-policies`, ".Values.pastEgressPolicies"),
	argument(`{{ printf "--prober-tolerations=%s" (toJson .Values.prober.tolerations) | quote }}`,
		".Values.prober.tolerations"),
	{kind: "ConfigMap", name: "probe-pods", path: []string{"data", "tolerations"},
		value: `{{ include "tcpprobe.tolerations" . | quote }}`},
	argument(`--prober-pull-policy={{ .Values.image.pullPolicy }}`, `ne .Values.image.pullPolicy "IfNotPresent"`),
	limit("--max-pods", "pods"),
	{kind: "ResourceQuota", name: "probers", path: []string{"spec", "hard", "pods"},
		value: `{{ default 200 (int64 .Values.limits.pods) | add 100 | quote }}`},
	limit("--max-pods-per-tcpprobe", "podsPerTCPProbe"),
	limit("--max-pods-per-node", "podsPerNode"),
	limit("--max-pods-per-second", "podsPerSecond"),
	limit("--max-packets-per-node", "packetsPerNode"),
	limit("--max-packets-per-target", "packetsPerTarget"),
	argument(`--metrics-cert-dir=/certificate`, metricsSecret),
	{kind: "Deployment", name: "manager", path: in(container, "volumeMounts"),
		value: "[{name: certificate, mountPath: /certificate, readOnly: true}]", onlyIf: metricsSecret},
	{kind: "Deployment", name: "manager", path: []string{"spec", "template", "spec", "volumes"},
		value:  "[{name: certificate, secret: {secretName: {{ " + metricsSecret + " | quote }}}}]",
		onlyIf: metricsSecret},
	{kind: "ServiceMonitor", path: []string{"spec", "endpoints", "0", "tlsConfig", "ca", "secret", "name"},
		value: `{{ include "tcpprobe.verifiedSecret" . | quote }}`},
	argument(`--zap-log-level={{ .Values.logLevel }}`, `ne .Values.logLevel "info"`),

	// The same as config/components/editors.
	editors("rbac.authorization.k8s.io/aggregate-to-edit"),
	editors("rbac.authorization.k8s.io/aggregate-to-admin"),
}

func argument(value, onlyIf string) place {
	return place{kind: "Deployment", name: "manager", path: in(container, "args", "-"), value: value, onlyIf: onlyIf}
}

func limit(flag, value string) place {
	return argument(fmt.Sprintf("%s={{ int64 .Values.limits.%s }}", flag, value), ".Values.limits."+value)
}

func editors(label string) place {
	return place{kind: "ClusterRole", name: "tcpprobe-editor", path: []string{"metadata", "labels", label},
		value: `"true"`, onlyIf: ".Values.editors.enabled"}
}

func in(path []string, more ...string) []string {
	return append(append([]string{}, path...), more...)
}
