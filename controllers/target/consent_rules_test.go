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

func TestPodsOfEndpoints(t *testing.T) {
	if got := PodsOf([]Endpoint{{}, {Pod: "b"}, {Pod: "a"}, {}, {Pod: "b"}}); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("pods %q", got)
	}
}
