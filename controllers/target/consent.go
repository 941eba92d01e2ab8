package target

import (
	"slices"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
)

// AcceptQueue fills a listener's queue. The queue stays full if the application does not accept. So the Service's
// owner has to consent.

// FillsQueues reports whether AcceptQueue is among the scenarios.
func FillsQueues(scenarios []v1alpha1.Scenario) bool {
	return slices.ContainsFunc(scenarios, func(s v1alpha1.Scenario) bool { return s.Type == v1alpha1.AcceptQueue })
}

// consentInput is the input of the rules about consent to AcceptQueue.
type consentInput struct {
	fills   bool // whether any queue is filled at all
	service *Service
}

var consentRules = rules[consentInput]{
	// The owner of the Service has to consent.
	{"annotation", func(in consentInput) *Refusal {
		if !in.fills || in.service.Consent != "" {
			return nil
		}
		return Refused(v1alpha1.ReasonConsentMissing, "AcceptQueue fills the queue of the pods behind Service %s, "+
			"which turns clients away meanwhile, and for good where the application has stalled; "+
			"whoever owns the Service can allow that by its annotation %s: %q, or remove the scenario",
			in.service.Name, v1alpha1.AcceptQueueAnnotation, v1alpha1.AllowAcceptQueue)
	}},
	// A misspelt value is no consent.
	{"value of the annotation", func(in consentInput) *Refusal {
		consent := in.service.Consent
		if !in.fills || consent == v1alpha1.AllowAcceptQueue || consent == v1alpha1.AllowOnlyEndpoint {
			return nil
		}
		return Refused(v1alpha1.ReasonConsentMissing, "the annotation %s of Service %s is %q; AcceptQueue needs %q or %q",
			v1alpha1.AcceptQueueAnnotation, in.service.Name, text.Cut(consent, 32),
			v1alpha1.AllowAcceptQueue, v1alpha1.AllowOnlyEndpoint)
	}},
}

// PodsOf names the pods behind the endpoints, each once, in their order.
func PodsOf(endpoints []Endpoint) []string {
	var pods []string
	for _, e := range endpoints {
		if e.Pod != "" && !slices.Contains(pods, e.Pod) {
			pods = append(pods, e.Pod)
		}
	}
	return pods
}
