package target

import "fmt"

// Refusal is why a run cannot start: one of the reasons of Accepted (somebody has to change something) or of
// Covered (NoEndpoints, NoSources, EndpointsRefused: it starts by itself as soon as it can).
type Refusal struct {
	Reason  string
	Message string
	Waiting bool // accepted, and waiting for the cluster
}

func (r *Refusal) Error() string { return r.Reason + ": " + r.Message }

// Refused is a Refusal that lasts until somebody changes something.
func Refused(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Waiting is a Refusal that ends by itself as soon as the cluster allows the run.
func Waiting(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Message: fmt.Sprintf(format, args...), Waiting: true}
}
