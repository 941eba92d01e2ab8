//go:build envtest

package envtest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// probe is a TCPProbe called "probe" in the default namespace with the given spec, in YAML.
func probe(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	var fields map[string]any
	if err := yaml.UnmarshalStrict([]byte(spec), &fields); err != nil {
		t.Fatalf("the test's own YAML: %v\n%s", err, spec)
	}
	o := &unstructured.Unstructured{Object: map[string]any{"spec": fields}}
	o.SetAPIVersion("tcpprobe.dev/v1alpha1")
	o.SetKind("TCPProbe")
	o.SetNamespace("default")
	o.SetName("probe")
	return o
}

func key(o client.Object) client.ObjectKey { return client.ObjectKeyFromObject(o) }

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// repeat is item n times, as the inside of a YAML list.
func repeat(item string, n int) string { return strings.Join(slices.Repeat([]string{item}, n), ", ") }

// pairs is the inside of a YAML map with n keys.
func pairs(n int) string {
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("k%d: v", i))
	}
	return strings.Join(keys, ", ")
}

// allVariants is a scenario of that name with every variant.
func allVariants(name string) string {
	return "{name: " + name + ", type: SequenceWrap, sequenceWrap: {variants: " +
		"[Push, UrgentPush, Data, Straddle, Fin, PushFin, Ack, HandshakeAck, Reset, Syn, FinUrgPush, \"Null\", AckZero]}}"
}

// finReorders is n scenarios of type FinReorder, each with a name of its own.
func finReorders(n int) string {
	var list []string
	for i := range n {
		list = append(list,
			fmt.Sprintf("{name: c%d, type: FinReorder, finReorder: {trigger: {onAccept: {}}, gapMillis: 20}}", i))
	}
	return strings.Join(list, ", ")
}

// named is n scenarios, each with a name of its own.
func named(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("{name: s%d, type: Handshake}", i))
	}
	return strings.Join(list, ", ")
}
