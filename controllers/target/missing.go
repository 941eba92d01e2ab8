package target

// Missing is what a run would probe if nothing were wrong with it: nodes that cannot probe for now, and what had failed
// and cannot be probed now. Without it, a node that is cut off would take its own failures out of the result.
type Missing struct {
	What  []string `json:"what"`            // each with why
	Pairs int      `json:"pairs"`           // of source and endpoint
	Nodes []string `json:"nodes,omitempty"` // sources that had failed
	Pods  []string `json:"pods,omitempty"`  // endpoints that had failed
}

// Failed reports whether anything that had failed is missing.
func (m *Missing) Failed() bool { return m != nil && len(m.Nodes)+len(m.Pods) > 0 }
