package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// ErrInvalid is wrapped by all errors of DecodeSummary about a message that this source cannot have written for this
// plan: it is cut, forged, or from another run.
var ErrInvalid = errors.New("not a summary of this run")

// ErrRefused is wrapped by the error of DecodeSummary for a valid message in which the prober says that it could not
// use its plan.
var ErrRefused = errors.New("the prober could not use its plan")

// DecodeSummary reads the termination message of the pod that ran p on node. The message is untrusted. The returned
// Summary has no text that is unprintable or longer than Encode writes it. It has only targets and checks of the plan,
// and its groups agree with its matrix. Errors wrap ErrInvalid or ErrRefused and may be shown to users.
func DecodeSummary(b []byte, p *plan.Plan, node string) (Summary, error) {
	if len(b) == 0 {
		return Summary{}, invalid("the message is empty")
	}
	if len(b) > MaxSummary {
		return Summary{}, invalid("%d bytes; at most %d", len(b), MaxSummary)
	}
	var s Summary
	if err := json.Unmarshal(b, &s); err != nil {
		return Summary{}, invalid("no whole document: %s", clean(err.Error(), maxMessage))
	}
	if err := s.validHead(p, node); err != nil {
		return Summary{}, err
	}
	s.checks = len(p.Checks())
	if err := s.readMatrix(len(p.Sources[node])); err != nil {
		return Summary{}, err
	}
	if err := s.validRestriction(p, node); err != nil {
		return Summary{}, err
	}
	if err := s.validPathTypes(len(p.Sources[node])); err != nil {
		return Summary{}, err
	}
	if err := s.validGroups(len(p.Sources[node])); err != nil {
		return Summary{}, err
	}
	return s, nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func (s Summary) validHead(p *plan.Plan, node string) error {
	switch {
	case s.APIVersion != APIVersion:
		return invalid("apiVersion is %q; need %s", ascii(s.APIVersion, maxWord), APIVersion)
	case s.Source != node:
		return invalid("source is %q; need %s", ascii(s.Source, maxWord), node)
	case s.Run != p.Run && (s.Run != "" || s.Error == ""): // a prober that could not read its plan does not know the run
		return invalid("run is %q; need %s", ascii(s.Run, maxWord), p.Run)
	case s.Error != "":
		return fmt.Errorf("%w: %s", ErrRefused, clean(s.Error, maxError))
	case s.Guard != ascii(s.Guard, maxWord) || s.Kernel != ascii(s.Kernel, maxRelease):
		return invalid("guard or kernel is no name")
	case s.Cut < 0 || s.LeakedFlows < 0 || s.Unconfirmed < 0 || s.DurationMicros < 0:
		return invalid("a negative count")
	}
	return nil
}

// readMatrix reads the verdicts. The text must have exactly the expected number of bits, padded with zeros.
func (s *Summary) readMatrix(targets int) error {
	m, err := parseMatrix(s.Matrix)
	if err != nil {
		return invalid("the matrix is no base64url")
	}
	n := targets * s.checks
	if len(m) != len(newMatrix(n)) {
		return invalid("the matrix has %d bytes; %d targets with %d checks have %d",
			len(m), targets, s.checks, len(newMatrix(n)))
	}
	for i := n; i < 4*len(m); i++ {
		if m.at(i) != "" {
			return invalid("the matrix has a verdict beyond the last target")
		}
	}
	s.verdicts = m
	return nil
}

// validPathTypes checks that path types are given for targets of this source only, and at most one for each target.
func (s Summary) validPathTypes(targets int) error {
	seen := make(map[int]bool)
	for _, ranges := range []string{s.Overlay, s.Routed} {
		if ranges == "" {
			continue
		}
		positions, err := parsePositions(ranges, targets)
		if err != nil {
			return invalid("the path types are %v", err)
		}
		for _, position := range positions {
			if seen[position] {
				return invalid("target %d has two path types", position)
			}
			seen[position] = true
		}
	}
	return nil
}

// validRestriction checks that there is no verdict for a check that this source does not run.
func (s Summary) validRestriction(p *plan.Plan, node string) error {
	checks := p.Checks()
	for position, target := range p.Sources[node] {
		for i, c := range checks {
			if !p.Asks(node, c, target) && s.Verdict(position, i) != "" {
				return invalid("target %d, check %d: a verdict that was not asked for", position, i)
			}
		}
	}
	return nil
}

// validGroups checks each group and compares the groups with the matrix. Every target of a group must have the group's
// verdict. If no groups were cut, every Fail and every Inconclusive must be in a group.
func (s Summary) validGroups(targets int) error {
	if len(s.Groups) > maxGroups {
		return invalid("%d groups; at most %d", len(s.Groups), maxGroups)
	}
	grouped := make(map[Question]bool)
	for i, g := range s.Groups {
		if err := g.valid(s.checks); err != nil {
			return invalid("group %d: %v", i, err)
		}
		positions, err := parsePositions(g.Targets, targets)
		if err != nil {
			return invalid("group %d: targets are %v", i, err)
		}
		for _, check := range g.Checks() {
			for _, position := range positions {
				q := Question{position, check}
				if grouped[q] || s.Verdict(position, check) != g.Verdict {
					return invalid("group %d: target %d has another verdict elsewhere", i, position)
				}
				grouped[q] = true
			}
		}
	}
	if s.Cut == 0 {
		return s.validUngrouped(targets, grouped)
	}
	return nil
}

func (s Summary) validUngrouped(targets int, grouped map[Question]bool) error {
	for position := range targets {
		for check := range s.checks {
			if v := s.Verdict(position, check); v.Compare(Pass) > 0 && !grouped[Question{position, check}] {
				return invalid("target %d, check %d: %s without a reason", position, check, v)
			}
		}
	}
	return nil
}

func (g Group) valid(checks int) error {
	switch {
	case g.Check < 0 || g.Check >= checks:
		return fmt.Errorf("check %d; the plan has %d", g.Check, checks)
	case !validChecks(g.Also, checks):
		return errors.New("its further checks are none of the plan's")
	case !g.Verdict.known():
		return fmt.Errorf("verdict %q", ascii(string(g.Verdict), maxWord))
	case !isCamelCase(string(g.Reason)) || g.Rule != "" && !isCamelCase(g.Rule):
		return errors.New("reason or rule is not one CamelCase word")
	case g.Message != clean(g.Message, maxMessage):
		return errors.New("the message is too long or not printable")
	case len(g.Evidence) > maxLines ||
		slices.ContainsFunc(g.Evidence, func(l string) bool { return l != clean(l, maxLine) }):
		return errors.New("the evidence is too long or not printable")
	case min(g.Flows.Tried, g.Flows.Pass, g.Flows.Fail, g.Flows.Inconclusive) < 0 || g.StallMillis < 0:
		return errors.New("a negative count")
	case !(g.Alpha >= 0 && g.Alpha <= 1):
		return fmt.Errorf("alpha %g", g.Alpha)
	case !g.Share.valid():
		return errors.New("the share is none")
	case !g.Suspects.valid() || !g.Controls.valid():
		return errors.New("the segments are none")
	case !g.Queue.valid():
		return errors.New("the queue is none")
	}
	return nil
}

func validChecks(also string, checks int) bool {
	_, err := parsePositions(also, checks)
	return also == "" || err == nil
}

func (s *Share) valid() bool {
	return s == nil || 0 <= s.Failed && s.Failed <= s.Of && s.Of <= plan.MaxPaths &&
		0 <= s.Low && s.Low <= s.High && s.High <= 1 &&
		0 <= s.Coverage && s.Coverage <= 1 && len(s.Ports) <= MaxPorts
}

func (q *Queue) valid() bool {
	return q == nil || 0 <= q.Least && q.Least <= q.Most && q.Most < maxConnections && (q.Behaviour == "" ||
		isCamelCase(q.Behaviour))
}

// isCamelCase reports whether s is one CamelCase word, as a condition's reason has to be.
func isCamelCase(s string) bool {
	if s == "" || len(s) > maxWord || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
			return false
		}
	}
	return true
}
