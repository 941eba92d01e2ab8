//go:build envtest

package envtest

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

const web = "target: {service: {name: web}}\n"

// refusals are specs that cannot work or that this version does not support. The refusal names the field and says what
// to do.
var refusals = []struct{ name, spec, where, words string }{
	{"no target", `paths: 1`, "spec.target", "Required value"},
	{"empty target", `target: {}`, "spec.target", "must have exactly one of service and address"},
	{"two targets", `target: {service: {name: web}, address: {ip: 10.0.0.1, port: 80}}`, "spec.target",
		"must have exactly one of service and address"},
	{"no name", `target: {service: {}}`, "spec.target.service.name", "Required value"},
	{"name in capitals", `target: {service: {name: Web}}`, "spec.target.service.name", "should match"},
	{"namespace with a dot", `target: {service: {name: web, namespace: a.b}}`, "spec.target.service.namespace",
		"should match"},
	{"port 0", `target: {service: {name: web, port: 0}}`, "spec.target.service.port",
		"must be a number from 1 to 65535 or the name of a port"},
	{"port 65536", `target: {service: {name: web, port: 65536}}`, "spec.target.service.port",
		"must be a number from 1 to 65535 or the name of a port"},
	{"port as a number in quotes", `target: {service: {name: web, port: "80"}}`, "spec.target.service.port",
		"must be a number from 1 to 65535 or the name of a port"},
	{"port name in capitals", `target: {service: {name: web, port: HTTP}}`, "spec.target.service.port",
		"must be a number from 1 to 65535 or the name of a port"},
	{"port empty", `target: {service: {name: web, port: ""}}`, "spec.target.service.port",
		"must be a number from 1 to 65535 or the name of a port"},
	{"unknown via", `target: {service: {name: web, via: [Ingress]}}`, "spec.target.service.via[0]",
		`supported values: "PodIP", "ClusterIP"`},
	{"no via", `target: {service: {name: web, via: []}}`, "spec.target.service.via", "at least 1"},
	{"via twice", `target: {service: {name: web, via: [PodIP, PodIP]}}`, "spec.target.service.via[1]", "Duplicate value"},
	{"unknown family", `target: {service: {name: web, families: [IPv5]}}`, "spec.target.service.families[0]",
		`supported values: "IPv4", "IPv6"`},
	{"no family", `target: {service: {name: web, families: []}}`, "spec.target.service.families", "at least 1"},
	{"no endpoint", `target: {service: {name: web, maxEndpoints: 0}}`, "spec.target.service.maxEndpoints",
		"greater than or equal to 1"},
	{"65 endpoints", `target: {service: {name: web, maxEndpoints: 65}}`, "spec.target.service.maxEndpoints",
		"less than or equal to 64"},
	{"address not an IP", `target: {address: {ip: example.org, port: 443}}`, "spec.target.address.ip",
		"must be an IPv4 or IPv6 address"},
	{"address without port", `target: {address: {ip: 10.0.0.1}}`, "spec.target.address.port", "Required value"},
	{"unknown field", web + `path: 3`, "spec.path", "unknown field"},
	{"unknown state", web + `state: Paused`, "spec.state", `supported values: "Active", "Suspended"`},

	{"no source", web + `sources: {max: 0}`, "spec.sources.max", "greater than or equal to 1"},
	{"1001 sources", web + `sources: {max: 1001}`, "spec.sources.max", "less than or equal to 1000"},
	{"unknown network", web + `sources: {network: Node}`, "spec.sources.network", `supported values: "Pod", "Host"`},
	{"17 matchLabels", web + `sources: {selector: {matchLabels: {` + pairs(17) + `}}}`, "spec.sources.selector",
		"at most 16 matchLabels"},
	{"17 matchExpressions", web + `sources: {selector: {matchExpressions: [` + repeat("{key: a, operator: Exists}", 17) +
		`]}}`, "spec.sources.selector", "at most 16 matchExpressions"},

	{"no scenario", web + `scenarios: []`, "spec.scenarios", "at least 1"},
	{"9 scenarios", web + `scenarios: [` + repeat("{type: Handshake}", 9) + `]`, "spec.scenarios", "at most 8"},
	{"unknown scenario", web + `scenarios: [{type: Ping}]`, "spec.scenarios[0].type",
		`supported values: "Handshake", "SequenceWrap"`},
	{"scenario without type", web + `scenarios: [{name: a}]`, "spec.scenarios[0].type", "Required value"},
	{"same type twice", web + `scenarios: [{type: Handshake}, {type: Handshake}]`, "spec.scenarios",
		"give each a name of its own"},
	{"same name twice", web + `scenarios: [{name: a, type: Handshake}, {name: a, type: SequenceWrap}]`, "spec.scenarios",
		"give each a name of its own"},
	{"name with a dot", web + `scenarios: [{name: a.b, type: Handshake}]`, "spec.scenarios[0].name", "should match"},
	{"another type's options", web + `scenarios: [{type: Handshake, sequenceWrap: {variants: [Push]}}]`,
		"spec.scenarios[0].sequenceWrap", "belongs to type SequenceWrap"},
	{"FinReorder's options elsewhere", web + `scenarios: [{type: Handshake, finReorder: {trigger: {onAccept: {}}}}]`,
		"spec.scenarios[0].finReorder", "belongs to type FinReorder"},
	{"FinReorder without a trigger", web + `scenarios: [{type: FinReorder}]`, "spec.scenarios[0].finReorder",
		"needs finReorder.trigger"},
	{"two triggers", web + `scenarios: [{type: FinReorder, finReorder: {trigger: {onAccept: {}, send: QUIT}}}]`,
		"spec.scenarios[0].finReorder.trigger", "exactly one of onAccept, send and httpGet"},
	{"relative path", web + `scenarios: [{type: FinReorder, finReorder: {trigger: {httpGet: {path: x}}}}]`,
		"spec.scenarios[0].finReorder.trigger.httpGet.path", "should match"},
	{"AcceptQueue's options elsewhere", web + `scenarios: [{type: Handshake, acceptQueue: {}}]`,
		"spec.scenarios[0].acceptQueue", "belongs to type AcceptQueue"},
	{"no connection", web + `scenarios: [{type: AcceptQueue, acceptQueue: {maxConnections: 0}}]`,
		"spec.scenarios[0].acceptQueue.maxConnections", "greater than or equal to 1"},
	{"4201 connections", web + `scenarios: [{type: AcceptQueue, acceptQueue: {maxConnections: 4201}}]`,
		"spec.scenarios[0].acceptQueue.maxConnections", "less than or equal to 4200"},
	{"no gap", web + `scenarios: [{type: FinReorder, finReorder: {trigger: {onAccept: {}}, gapMillis: 0}}]`,
		"spec.scenarios[0].finReorder.gapMillis", "greater than or equal to 1"},
	{"a variant without quotes that YAML takes for nothing",
		web + `scenarios: [{type: SequenceWrap, sequenceWrap: {variants: [Null]}}]`,
		"spec.scenarios[0].sequenceWrap.variants[0]", "null"},
	{"unknown variant", web + `scenarios: [{type: SequenceWrap, sequenceWrap: {variants: [Pull]}}]`,
		"spec.scenarios[0].sequenceWrap.variants[0]", `supported values: "Push"`},
	{"variant twice", web + `scenarios: [{type: SequenceWrap, sequenceWrap: {variants: [Push, Push]}}]`,
		"spec.scenarios[0].sequenceWrap.variants[1]", "Duplicate value"},
	{"23 variants", web + "scenarios: [" + allVariants("a") + ", " + allVariants("b") + ", {type: Handshake}]",
		"spec.scenarios", "at most 22 scenarios and variants in all"},
	{"payload empty", web + `scenarios: [{type: Handshake, payload: ""}]`, "spec.scenarios[0].payload", "at least 1"},
	{"payload not ASCII", web + `scenarios: [{type: Handshake, payload: "gr\u00fc"}]`, "spec.scenarios[0].payload",
		"should match"},
	{"payload of 1025", web + "scenarios: [{type: Handshake, payload: " + strings.Repeat("a", 1025) + "}]",
		"spec.scenarios[0].payload", "may not be more than 1024"},
	{"payload with a wrong escape", web + `scenarios: [{type: Handshake, payload: 'a\q'}]`, "spec.scenarios[0].payload",
		"a backslash begins one of"},
	{"payload with half an escape", web + `scenarios: [{type: Handshake, payload: 'a\x1'}]`, "spec.scenarios[0].payload",
		"a backslash begins one of"},
	{"payload that ends in a backslash", web + `scenarios: [{type: Handshake, payload: 'a\'}]`,
		"spec.scenarios[0].payload", "a backslash begins one of"},
	{"trigger with a wrong escape",
		web + `scenarios: [{type: FinReorder, finReorder: {trigger: {send: 'a\q'}}}]`,
		"spec.scenarios[0].finReorder.trigger.send", "a backslash begins one of"},
	{"unknown preset", web + `scenarios: [{type: Handshake, payloadPreset: gopher}]`, "spec.scenarios[0].payloadPreset",
		`supported values: "http"`},
	{"payload and preset", web + `scenarios: [{type: Handshake, payload: a, payloadPreset: redis}]`,
		"spec.scenarios[0].payloadPreset", "must not be beside payload"},
	{"no variant", web + `scenarios: [{type: SequenceWrap, sequenceWrap: {variants: []}}]`,
		"spec.scenarios[0].sequenceWrap.variants", "at least 1"},

	{"no path", web + `paths: 0`, "spec.paths", "greater than or equal to 1"},
	{"257 paths", web + `paths: 257`, "spec.paths", "less than or equal to 256"},
	{"9 packets a second", web + `packetsPerSecond: 9`, "spec.packetsPerSecond", "greater than or equal to 10"},
	{"kernel connections now and then", web + `kernelConnections: Sometimes`, "spec.kernelConnections",
		`supported values: "On", "Off"`},
	{"2001 packets a second", web + `packetsPerSecond: 2001`, "spec.packetsPerSecond", "less than or equal to 2000"},
	{"too slow for its deadline", web + "paths: 256\npacketsPerSecond: 10", "spec",
		"cannot end in time even where nothing is lost"},
	{"one packet a second too slow", web + "paths: 256\npacketsPerSecond: 61", "spec", "cannot end in time"},
	{"a pause that takes it beyond the deadline",
		web + `scenarios: [{type: SequenceWrap, sequenceWrap: {variants: [Push, Ack]}}]` +
			"\nrun: {deadlineSeconds: 5}\npacketsPerSecond: 63", "spec", "cannot end in time"},
	{"one FinReorder too many", web + "scenarios: [" + finReorders(2) + "]\nrun: {deadlineSeconds: 7}", "spec",
		"cannot end in time"},
	{"one connection too many",
		web + `scenarios: [{type: AcceptQueue, acceptQueue: {maxConnections: 126}}]` + "\nrun: {deadlineSeconds: 5}", "spec",
		"cannot end in time"},
	{"the usual queue in too short a time", web + `scenarios: [{type: AcceptQueue}]` + "\nrun: {deadlineSeconds: 7}",
		"spec", "cannot end in time"},
	{"too slow to confirm an overflow",
		web + "scenarios: [{type: AcceptQueue, acceptQueue: {maxConnections: 10}}]\npacketsPerSecond: 49",
		"spec.packetsPerSecond", "must be at least 50 with AcceptQueue"},

	{"unknown mode", web + `run: {mode: Cron}`, "spec.run.mode", `supported values: "Once", "Interval", "Continuous"`},
	{"interval in mode Once", web + `run: {intervalSeconds: 300}`, "spec.run.intervalSeconds",
		"must be set with mode Interval, and with no other mode"},
	{"Interval without an interval", web + `run: {mode: Interval}`, "spec.run.intervalSeconds",
		"must be set with mode Interval, and with no other mode"},
	{"interval of 59 s", web + `run: {mode: Interval, intervalSeconds: 59}`, "spec.run.intervalSeconds",
		"greater than or equal to 60"},
	{"deadline not before the next run", web + `run: {mode: Interval, intervalSeconds: 60, deadlineSeconds: 60}`,
		"spec.run.deadlineSeconds", "must be less than intervalSeconds"},
	{"deadline of 4 s", web + `run: {deadlineSeconds: 4}`, "spec.run.deadlineSeconds", "greater than or equal to 5"},
	{"Liveness in mode Once", web + `scenarios: [{type: Liveness}]`, "spec.scenarios", "neither once nor at an interval"},
	{"IdleTimeout in mode Interval",
		web + "run: {mode: Interval, intervalSeconds: 300}\nscenarios: [{type: IdleTimeout}]", "spec.scenarios",
		"choose run.mode Once"},
	{"IdleTimeout's options elsewhere", web + `scenarios: [{type: Handshake, idleTimeout: {maxSeconds: 20}}]`,
		"spec.scenarios[0].idleTimeout", "belongs to type IdleTimeout"},
	{"silence of 4 s", web + `scenarios: [{type: IdleTimeout, idleTimeout: {maxSeconds: 4}}]`,
		"spec.scenarios[0].idleTimeout.maxSeconds", "greater than or equal to 5"},
	{"silence that does not fit into the deadline",
		web + `scenarios: [{type: IdleTimeout, idleTimeout: {maxSeconds: 35}}]`, "spec", "cannot end in time"},
	{"AcceptQueue in mode Continuous", web + "run: {mode: Continuous}\nscenarios: [{type: AcceptQueue}]", "spec.scenarios",
		"it must not run continuously"},
	{"AcceptQueue through the ClusterIP",
		`{target: {service: {name: web, via: [PodIP, ClusterIP]}}, scenarios: [{type: AcceptQueue}]}`, "spec.scenarios",
		"it needs target.service, via PodIP alone"},
	{"AcceptQueue of an address", `{target: {address: {ip: 10.1.2.3, port: 443}}, scenarios: [{type: AcceptQueue}]}`,
		"spec.scenarios", "it needs target.service, via PodIP alone"},
	{"health in mode Once", web + `health: {raiseAfter: 2}`, "spec.health",
		"remove it, or choose run.mode Interval"},
	{"raise after 0", web + `health: {raiseAfter: 0}`, "spec.health.raiseAfter", "greater than or equal to 1"},

	{"mode Continuous", web + `run: {mode: Continuous}`, "spec.run.mode", "this version supports only Once and Interval"},
	{"a closed port of a ClusterIP",
		`{target: {service: {name: web, via: [PodIP, ClusterIP]}}, ` +
			`scenarios: [{type: SequenceWrap, sequenceWrap: {variants: [Push, AckZero]}}]}`, "spec.target.service.via",
		"the variants FinUrgPush, Null and AckZero ask a closed port of a host, and a ClusterIP is none"},
	{"a ClusterIP from the host network", `{target: {service: {name: web, via: [ClusterIP]}}, sources: {network: Host}}`,
		"spec.sources.network", "segments that are crafted on a node's own network bypass the translation of a ClusterIP"},
	{"Liveness", web + "run: {mode: Continuous}\nscenarios: [{type: Liveness}]", "spec.scenarios",
		"this version does not have the type Liveness"},
}

func TestRefusals(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			err := create(t.Context(), probe(t, r.spec))
			if err == nil {
				t.Fatal("accepted")
			}
			if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
				t.Fatalf("not refused but failed: %v", err)
			}
			if strings.Contains(err.Error(), "no such key") {
				t.Errorf("a rule itself fails: %v", err)
			}
			for _, want := range []string{r.where, r.words} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the refusal does not say %q: %v", want, err)
				}
			}
		})
	}
}

func TestRefusesLongName(t *testing.T) {
	p := probe(t, web)
	p.SetName(strings.Repeat("a", 64))
	err := create(t.Context(), p)
	if err == nil || !strings.Contains(err.Error(), "metadata.name must be at most 63 characters") {
		t.Errorf("a name of 64 characters: %v", err)
	}
	p.SetName(strings.Repeat("a", 63))
	if err := create(t.Context(), p); err != nil {
		t.Errorf("a name of 63 characters: %v", err)
	}
}
