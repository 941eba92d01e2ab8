package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	deployment = "Deployment tcpprobe-system/manager "
	pod        = deployment + "spec.template.spec."
	thirdArg   = "+ " + pod + "containers[0].args[2]: "
	probePods  = "ConfigMap tcpprobe-system/probe-pods data."
	digest     = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	apiServer  = "NetworkPolicy tcpprobe-system/manager spec.egress[0].ports"
	imageWas   = ownImage + ":dev"
)

// variants change each value, and list all lines that change.
var variants = []struct {
	leaf, values string
	changes      []string
}{
	{"image.repository", "image: {repository: example.test/t}", imageChange("example.test/t:dev")},
	{"image.tag", "image: {tag: v1}", imageChange(ownImage + ":v1")},
	{"image.digest", "image: {tag: v1, digest: '" + digest + "'}", imageChange(ownImage + "@" + digest)},
	{"image.pullPolicy", "image: {pullPolicy: Always}", []string{
		thirdArg + `"--prober-pull-policy=Always"`,
		"+ " + pod + `containers[0].imagePullPolicy: "Always"`,
		"- " + pod + `containers[0].imagePullPolicy: "IfNotPresent"`,
	}},
	{"imagePullSecrets", "imagePullSecrets: [{name: registry}]", []string{
		`+ ServiceAccount tcpprobe-probes/prober imagePullSecrets[0].name: "registry"`,
		`+ ServiceAccount tcpprobe-system/manager imagePullSecrets[0].name: "registry"`,
	}},
	{"crds.keep", "crds: {keep: false}", []string{
		`- CustomResourceDefinition tcpprobes.tcpprobe.dev metadata.annotations.helm.sh/resource-policy: "keep"`,
	}},
	{"editors.enabled", "editors: {enabled: true}", []string{
		`+ ClusterRole tcpprobe-editor metadata.labels.rbac.authorization.k8s.io/aggregate-to-admin: "true"`,
		`+ ClusterRole tcpprobe-editor metadata.labels.rbac.authorization.k8s.io/aggregate-to-edit: "true"`,
	}},
	{"hostNetwork", "hostNetwork: true", []string{
		"+ " + probePods + `hostNetwork: "true"`,
		thirdArg + `"--host-network"`,
		"- " + probePods + `hostNetwork: "false"`,
	}},
	{"prober.privileged", "prober: {privileged: true}", []string{
		"+ " + probePods + `privileged: "true"`,
		thirdArg + `"--prober-privileged"`,
		"- " + probePods + `privileged: "false"`,
	}},
	{"addressCeiling", "addressCeiling: [10.50.0.0/16, '2001:db8::/32']", []string{
		thirdArg + `"--address-ceiling=10.50.0.0/16,2001:db8::/32"`,
	}},
	{"pastEgressPolicies", "pastEgressPolicies: true", []string{thirdArg + `"--past-egress-policies"`}},
	{"image.acceptedDigests", "image: {acceptedDigests: [" + digestA + ", " + digestB + "]}", []string{
		"+ " + probePods + `digests: "` + digestA + "," + digestB + `"`,
		"- " + probePods + `digests: ""`,
	}},
	{"prober.tolerations", "prober: {tolerations: [{key: gpu, operator: Exists, effect: NoSchedule}]}", []string{
		"+ " + probePods + `tolerations: "gpu:NoSchedule"`,
		thirdArg + `"--prober-tolerations=[{\"effect\":\"NoSchedule\",\"key\":\"gpu\",\"operator\":\"Exists\"}]"`,
		"- " + probePods + `tolerations: ""`,
	}},
	{"limits.pods", "limits: {pods: 77}", []string{
		thirdArg + `"--max-pods=77"`,
		`+ ResourceQuota tcpprobe-probes/probers spec.hard.pods: "177"`,
		`- ResourceQuota tcpprobe-probes/probers spec.hard.pods: "300"`,
	}},
	{"limits.podsPerTCPProbe", "limits: {podsPerTCPProbe: 77}", []string{thirdArg + `"--max-pods-per-tcpprobe=77"`}},
	{"limits.podsPerNode", "limits: {podsPerNode: 77}", []string{thirdArg + `"--max-pods-per-node=77"`}},
	{"limits.podsPerSecond", "limits: {podsPerSecond: 77}", []string{thirdArg + `"--max-pods-per-second=77"`}},
	{"limits.packetsPerNode", "limits: {packetsPerNode: 77}", []string{thirdArg + `"--max-packets-per-node=77"`}},
	{"limits.packetsPerTarget", "limits: {packetsPerTarget: 77}", []string{thirdArg + `"--max-packets-per-target=77"`}},
	{"replicas", "replicas: 1", []string{
		"+ " + deployment + "spec.replicas: 1",
		"- " + deployment + "spec.replicas: 2",
	}},
	{"resources.requests.cpu", "resources: {requests: {cpu: 50m}}", resourceChange("requests.cpu", "20m", "50m")},
	{"resources.requests.memory", "resources: {requests: {memory: 1Gi}}",
		resourceChange("requests.memory", "64Mi", "1Gi")},
	{"resources.limits.memory", "resources: {limits: {memory: 1Gi}}", resourceChange("limits.memory", "256Mi", "1Gi")},
	{"nodeSelector.kubernetes.io/os", "nodeSelector: {zone: a}", []string{"+ " + pod + `nodeSelector.zone: "a"`}},
	{"tolerations", "tolerations: [{operator: Exists}]", []string{"+ " + pod + `tolerations[0].operator: "Exists"`}},
	{"apiServerPorts", "apiServerPorts: [443, 7443]", []string{
		"+ " + apiServer + "[1].port: 7443", "- " + apiServer + "[1].port: 6443", "- " + apiServer + "[2].port: 8443",
	}},
	{"metricsCertificateSecret", "metricsCertificateSecret: metrics-tls", served("metrics-tls")},
	{"metricsCertificateIssuer.name", "metricsCertificateIssuer: {name: authority}",
		issued("manager-metrics-certificate", "Issuer")},
	{"metricsCertificateIssuer.kind",
		"{metricsCertificateIssuer: {name: authority, kind: ClusterIssuer}, metricsCertificateSecret: metrics}",
		issued("metrics", "ClusterIssuer")},
	{"logLevel", "logLevel: debug", []string{thirdArg + `"--zap-log-level=debug"`}},
}

// served are the lines that have the manager serve its metrics with the certificate of the Secret.
func served(secret string) []string {
	return []string{
		thirdArg + `"--metrics-cert-dir=/certificate"`,
		"+ " + pod + `containers[0].volumeMounts[0].mountPath: "/certificate"`,
		"+ " + pod + `containers[0].volumeMounts[0].name: "certificate"`,
		"+ " + pod + `containers[0].volumeMounts[0].readOnly: true`,
		"+ " + pod + `volumes[0].name: "certificate"`,
		"+ " + pod + `volumes[0].secret.secretName: "` + secret + `"`,
	}
}

// issued are those lines, and cert-manager's Certificate that makes the Secret.
func issued(secret, kind string) []string {
	const certificate = "+ Certificate tcpprobe-system/manager-metrics "
	return append([]string{
		certificate + `apiVersion: "cert-manager.io/v1"`,
		certificate + `kind: "Certificate"`,
		certificate + `metadata.labels.app.kubernetes.io/part-of: "tcpprobe"`,
		certificate + `metadata.name: "manager-metrics"`,
		certificate + `metadata.namespace: "tcpprobe-system"`,
		certificate + `spec.dnsNames[0]: "manager-metrics.tcpprobe-system.svc"`,
		certificate + `spec.issuerRef.group: "cert-manager.io"`,
		certificate + `spec.issuerRef.kind: "` + kind + `"`,
		certificate + `spec.issuerRef.name: "authority"`,
		certificate + `spec.secretName: "` + secret + `"`,
		certificate + `spec.usages[0]: "server auth"`,
	}, served(secret)...)
}

// TestTolerationsForThePolicy: the chart writes tolerations as the admission policy compares them.
func TestTolerationsForThePolicy(t *testing.T) {
	got := render(t, "tcpprobe-system", "prober: {tolerations: [{key: a, value: b, effect: NoSchedule}, "+
		"{operator: Exists, effect: PreferNoSchedule}, {key: c, operator: Equal, effect: NoSchedule}]}")
	if v := got[probePods+"tolerations"]; v != `"a=b:NoSchedule,:PreferNoSchedule,c=:NoSchedule"` {
		t.Errorf("tolerations %s", v)
	}
}

// Two digests of images.
var digestA, digestB = "sha256:" + strings.Repeat("a", 64), "sha256:" + strings.Repeat("b", 64)

func imageChange(to string) []string {
	image := pod + "containers[0].image: "
	return []string{
		"+ " + probePods + `image: "` + to + `"`, "+ " + image + `"` + to + `"`,
		"- " + probePods + `image: "` + imageWas + `"`, "- " + image + `"` + imageWas + `"`,
	}
}

func resourceChange(what, from, to string) []string {
	path := pod + "containers[0].resources." + what
	return []string{"+ " + path + `: "` + to + `"`, "- " + path + `: "` + from + `"`}
}

func TestEachValueChangesItsPlaceAndNothingElse(t *testing.T) {
	unchanged := render(t, "tcpprobe-system", "")
	for _, v := range variants {
		t.Run(v.leaf, func(t *testing.T) {
			if diff := cmp.Diff(v.changes, unchanged.changes(render(t, "tcpprobe-system", v.values))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWithoutDefinitions(t *testing.T) {
	changes := render(t, "tcpprobe-system", "").changes(render(t, "tcpprobe-system", "crds: {enabled: false}"))
	if len(changes) == 0 {
		t.Error("crds.enabled false changes nothing")
	}
	for _, c := range changes {
		if !strings.HasPrefix(c, "- CustomResourceDefinition ") {
			t.Error(c)
		}
	}
}

// leaves are the values of values.yaml that have no others in them. A list is one value.
func leaves(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(chartFolder, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := lines{}
	for field, value := range values(t, string(text)) {
		all.flatten(field, value)
	}
	names := make(map[string]bool)
	for field := range all {
		name, _, _ := strings.Cut(field, "[")
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// TestEveryValueIsRead: there is a variant for each value of values.yaml, besides those that have a test of their own.
func TestEveryValueIsRead(t *testing.T) {
	tested := []string{"crds.enabled", "monitoring.enabled", "probeNamespace"}
	for _, v := range variants {
		tested = append(tested, v.leaf)
	}
	slices.Sort(tested)
	if diff := cmp.Diff(leaves(t), tested); diff != "" {
		t.Errorf("values.yaml (-) and the variants of this test (+) differ:\n%s", diff)
	}
}

// TestEveryValueIsExplained: the table of docs/install.md has each value, or all of its group.
func TestEveryValueIsExplained(t *testing.T) {
	page, err := os.ReadFile("../../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| value | default | what it sets |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, leaf := range leaves(t) {
		group, _, _ := strings.Cut(leaf, ".")
		if !slices.ContainsFunc([]string{leaf, group, group + ".*"}, func(name string) bool {
			return strings.Contains(table, "`"+name+"`")
		}) {
			t.Errorf("docs/install.md does not explain the value %s", leaf)
		}
	}
}
