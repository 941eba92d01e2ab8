package target

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

func consenting(value string) *Service {
	s := webService()
	s.Consent = value
	return s
}

func TestConsent(t *testing.T) {
	for name, c := range map[string]struct {
		probe *v1alpha1.TCPProbe
		value string
		says  string
	}{
		"nothing fills a queue": {controllertest.Probe(), "", ""},
		"none": {controllertest.AcceptQueueProbe(), "",
			`its annotation tcpprobe.dev/allow-accept-queue: "true", or remove the scenario`},
		"of all but one": {controllertest.AcceptQueueProbe(), "true", ""},
		"of all":         {controllertest.AcceptQueueProbe(), "only-endpoint", ""},
		"misspelt": {controllertest.AcceptQueueProbe(), "yes" + strings.Repeat("!", 1000),
			`needs "true" or "only-endpoint"`},
		"refused in words": {controllertest.AcceptQueueProbe(), "false", `is "false"; AcceptQueue needs`},
	} {
		r := consentRules.refuse(consentInput{FillsQueues(c.probe.Spec.Scenarios), consenting(c.value)})
		if c.says == "" && r != nil || c.says != "" && (r == nil || r.Waiting ||
			r.Reason != v1alpha1.ReasonConsentMissing || !strings.Contains(r.Message, c.says) || len(r.Message) > 500) {
			t.Errorf("%s: %v; want %q", name, r, c.says)
		}
	}
}
