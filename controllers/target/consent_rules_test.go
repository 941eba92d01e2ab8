package target

import (
	"slices"
	"strings"
	"testing"
)

// TestAcceptQueueNeedsConsent: any other value than the two that exist is repeated, in at most 32 bytes.
func TestAcceptQueueNeedsConsent(t *testing.T) {
	misspelt := func(value string) string {
		return "ConsentMissing: the annotation tcpprobe.dev/allow-accept-queue of Service web is \"" + value +
			`"; AcceptQueue needs "true" or "only-endpoint"`
	}
	for _, c := range []struct {
		fills       bool
		value, want string
	}{
		{false, "", ""},
		{false, "True", ""},
		{true, "true", ""},
		{true, "only-endpoint", ""},
		{true, "", noQueueConsent},
		{true, "True", misspelt("True")},
		{true, strings.Repeat("y", 32), misspelt(strings.Repeat("y", 32))},
		{true, strings.Repeat("y", 33), misspelt(strings.Repeat("y", 29) + "…")},
	} {
		expect(t, consentRules, consentInput{c.fills, consenting(c.value)}, c.want)
	}
}

// TestTheOnlyReadyPodKeepsServing: unless its owner consents to that too.
func TestTheOnlyReadyPodKeepsServing(t *testing.T) {
	const refused = "ConsentMissing: Service web has one ready pod, web-1, and AcceptQueue would turn all its clients " +
		"away; have a second one ready, or set the annotation tcpprobe.dev/allow-accept-queue of the Service " +
		`to "only-endpoint"`
	twoFamilies := []Endpoint{{Pod: "web-1", Port: 80}, {Pod: "web-1", Port: 81}}
	two := []Endpoint{{Pod: "web-1"}, {Pod: "web-2"}}
	for _, c := range []struct {
		fills     bool
		value     string
		endpoints []Endpoint
		want      string
	}{
		{true, "true", two, ""},
		{true, "true", two[:1], refused},
		{true, "true", twoFamilies, refused},
		{true, "only-endpoint", two[:1], ""},
		{false, "", two[:1], ""},
	} {
		expect(t, servingRules, servingInput{c.fills, consenting(c.value), c.endpoints}, c.want)
	}
}

func TestPodsOfEndpoints(t *testing.T) {
	if got := PodsOf([]Endpoint{{}, {Pod: "b"}, {Pod: "a"}, {}, {Pod: "b"}}); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("pods %q", got)
	}
}
