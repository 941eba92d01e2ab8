//go:build envtest

package envtest

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// defaults is the smallest spec with all defaults, as the API server stores it.
const defaults = `
state: Active
target: {service: {name: web, via: [PodIP], maxEndpoints: 16}}
sources: {selector: {}, max: 16, network: Pod}
scenarios:
- {type: Handshake}
- {type: SequenceWrap, sequenceWrap: {variants: [Push]}}
paths: 16
packetsPerSecond: 200
kernelConnections: "On"
run: {mode: Once, deadlineSeconds: 50}
`

// acceptances are specs that the API server must accept. stored has the fields that differ from defaults.
var acceptances = []struct{ name, spec, stored string }{
	{"the smallest", web, ``},
	{"empty structs", web + "sources: {}\nrun: {}", ``},
	{"no kernel connections", web + `kernelConnections: "Off"`, `kernelConnections: "Off"`},
	{"port by number", `target: {service: {name: web, port: 65535}}`,
		`target: {service: {name: web, port: 65535, via: [PodIP], maxEndpoints: 16}}`},
	{"port by name", `target: {service: {name: web, port: http-2}}`,
		`target: {service: {name: web, port: http-2, via: [PodIP], maxEndpoints: 16}}`},
	{"everything of the target",
		`target: {service: {name: web, namespace: default, via: [PodIP], families: [IPv6, IPv4], maxEndpoints: 64}}`,
		`target: {service: {name: web, namespace: default, via: [PodIP], families: [IPv6, IPv4], maxEndpoints: 64}}`},
	{"both ways", `target: {service: {name: web, via: [ClusterIP, PodIP]}}`,
		`target: {service: {name: web, via: [ClusterIP, PodIP], maxEndpoints: 16}}`},
	{"from the host network", web + `sources: {network: Host}`, `sources: {selector: {}, max: 16, network: Host}`},
	{"an address", `target: {address: {ip: "fd00::1", port: 443}}`, `target: {address: {ip: "fd00::1", port: 443}}`},
	{"suspended", web + `state: Suspended`, `state: Suspended`},
	{"a selector", web + `sources: {selector: {matchLabels: {` + pairs(16) + `}}, max: 1000}`,
		`sources: {selector: {matchLabels: {` + pairs(16) + `}}, max: 1000, network: Pod}`},
	{"SequenceWrap without options", web + `scenarios: [{type: SequenceWrap}]`, `scenarios: [{type: SequenceWrap}]`},
	{"SequenceWrap without variants", web + `scenarios: [{type: SequenceWrap, sequenceWrap: {}}]`,
		`scenarios: [{type: SequenceWrap, sequenceWrap: {variants: [Push]}}]`},
	{"one type under two names",
		web + `scenarios: [{type: Handshake}, {name: again, type: Handshake, payload: "PING\r\n"}]`,
		`scenarios: [{type: Handshake}, {name: again, type: Handshake, payload: "PING\r\n"}]`},
	{"payloads with escapes", web + `
scenarios:
- {name: a, type: Handshake, payload: '\0\x00\xfF\t\r\n\\'}
- {name: b, type: Handshake, payload: "a\\x00\r\n"}
- {name: c, type: Handshake, payloadPreset: postgres}`, `
scenarios:
- {name: a, type: Handshake, payload: '\0\x00\xfF\t\r\n\\'}
- {name: b, type: Handshake, payload: "a\\x00\r\n"}
- {name: c, type: Handshake, payloadPreset: postgres}`},
	{"every variant", web + `scenarios: [` + allVariants("all") + `]`, `scenarios: [` + allVariants("all") + `]`},
	{"two FinReorders in the time that they take", web + "scenarios: [" + finReorders(2) + "]\nrun: {deadlineSeconds: 8}",
		"scenarios: [" + finReorders(2) + "]\nrun: {mode: Once, deadlineSeconds: 8}"},
	{"every trigger", web + `
scenarios:
- {name: a, type: FinReorder, finReorder: {trigger: {send: "QUIT\r\n"}}}
- {name: b, type: FinReorder, finReorder: {gapMillis: 1000, trigger: {httpGet: {}}}}`, `
scenarios:
- {name: a, type: FinReorder, finReorder: {gapMillis: 20, trigger: {send: "QUIT\r\n"}}}
- {name: b, type: FinReorder, finReorder: {gapMillis: 1000, trigger: {httpGet: {path: /}}}}`},
	{"AcceptQueue without options", web + `scenarios: [{type: AcceptQueue}]`, `scenarios: [{type: AcceptQueue}]`},
	{"AcceptQueue with none", web + `scenarios: [{type: AcceptQueue, acceptQueue: {}}]`,
		`scenarios: [{type: AcceptQueue, acceptQueue: {maxConnections: 256}}]`},
	{"the longest queue in its time",
		web + "scenarios: [{type: AcceptQueue, acceptQueue: {maxConnections: 4200}}]\npacketsPerSecond: 2000",
		"scenarios: [{type: AcceptQueue, acceptQueue: {maxConnections: 4200}}]\npacketsPerSecond: 2000"},
	{"as many connections as the deadline allows",
		web + "scenarios: [{type: AcceptQueue, acceptQueue: {maxConnections: 125}}]\nrun: {deadlineSeconds: 5}",
		"scenarios: [{type: AcceptQueue, acceptQueue: {maxConnections: 125}}]\nrun: {mode: Once, deadlineSeconds: 5}"},
	{"eight scenarios", web + `scenarios: [` + named(8) + `]`, `scenarios: [` + named(8) + `]`},
	{"the most paths, as slow as the deadline allows", web + "paths: 256\npacketsPerSecond: 62",
		"paths: 256\npacketsPerSecond: 62"},
	{"an interval", web + `run: {mode: Interval, intervalSeconds: 60}`,
		`run: {mode: Interval, intervalSeconds: 60, deadlineSeconds: 50}`},
	{"an interval with health", web + "run: {mode: Interval, intervalSeconds: 86400}\nhealth: {raiseAfter: 3}",
		"run: {mode: Interval, intervalSeconds: 86400, deadlineSeconds: 50}\nhealth: {raiseAfter: 3, clearAfterSeconds: 60}"},
	{"the longest deadline", web + `run: {deadlineSeconds: 3600}`, `run: {mode: Once, deadlineSeconds: 3600}`},
}

func TestAcceptances(t *testing.T) {
	for _, a := range acceptances {
		t.Run(a.name, func(t *testing.T) {
			p := probe(t, a.spec)
			if err := create(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(overlaid(t, defaults, a.stored), specJSON(t, p)); diff != "" {
				t.Errorf("stored otherwise (- expected, + stored):\n%s", diff)
			}
		})
	}
}

// overlaid is base, with its top-level fields replaced by those of over.
func overlaid(t *testing.T, base, over string) map[string]any {
	t.Helper()
	fields := map[string]any{}
	for _, text := range []string{base, over} {
		if err := yaml.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatal(err)
		}
	}
	return fields
}

func specJSON(t *testing.T, o *unstructured.Unstructured) map[string]any {
	t.Helper()
	b, err := json.Marshal(o.Object["spec"])
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}
