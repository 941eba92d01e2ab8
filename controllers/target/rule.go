package target

// rule is one reason why something must not be probed. "May this be probed" is asked at several levels: of the spec,
// the Service, each claim of an EndpointSlice, each Pod, an address, and so on. Each level has one table of rules and
// one type of input, which holds all that its rules may check. A rule reads nothing from the cluster: its caller has
// read the input.
type rule[Input any] struct {
	name    string
	refuses func(in Input) *Refusal // nil: not refused
}

// rules are those of one level. The first that refuses decides.
type rules[Input any] []rule[Input]

func (rs rules[Input]) refuse(in Input) *Refusal {
	for _, r := range rs {
		if refusal := r.refuses(in); refusal != nil {
			return refusal
		}
	}
	return nil
}

// check is refuse for callers that return errors.
func (rs rules[Input]) check(in Input) error {
	if refusal := rs.refuse(in); refusal != nil {
		return refusal
	}
	return nil
}
