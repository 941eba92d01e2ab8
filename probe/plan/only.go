package plan

import (
	"maps"
	"slices"
)

// Asks reports whether the source runs the check against the target with that index.
func (p *Plan) Asks(source string, c Check, target int) bool {
	only := p.Scenarios[c.Scenario].Only
	return len(only) == 0 || slices.Contains(only[source], target)
}

// Asked is how many checks the source runs against that target.
func (p *Plan) Asked(source string, target int) (n int) {
	for _, c := range p.Checks() {
		if p.Asks(source, c, target) {
			n++
		}
	}
	return n
}

// validRestrictions checks that Only has targets of the source only, and that no two sources fill the same accept
// queue.
func (p *Plan) validRestrictions() error {
	for i, s := range p.Scenarios {
		for _, source := range slices.Sorted(maps.Keys(s.Only)) {
			for _, target := range s.Only[source] {
				if !slices.Contains(p.Sources[source], target) {
					return invalid("scenario %d is restricted to target %d from source %.80q, which does not have it",
						i, target, source)
				}
			}
		}
		if s.Type == "AcceptQueue" {
			if err := p.validQueueSources(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// validQueueSources refuses two sources that fill the same queue at the same time: each would count the other's
// connections.
func (p *Plan) validQueueSources(scenario int) error {
	asker := make(map[int]string)
	for _, source := range slices.Sorted(maps.Keys(p.Sources)) {
		for _, target := range p.Sources[source] {
			if !p.Asks(source, Check{Scenario: scenario}, target) {
				continue
			}
			if other, twice := asker[target]; twice {
				return invalid("sources %s and %s would both fill the accept queue of target %d; restrict scenario %d "+
					"to one of them", other, source, target, scenario)
			}
			asker[target] = source
		}
	}
	return nil
}
