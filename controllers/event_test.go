package controllers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

func TestEvents(t *testing.T) {
	f := exampleFrozen(three, three)
	bad := map[string]verdicts{"kn2": dropped("10.244.1.5:8080", "10.244.3.5:8080")}
	running := exampleProbe()
	setConditions(running, Standing{Progress: &Progress{Number: 1}}, noon)
	waiting := exampleProbe()
	setConditions(waiting, Standing{Progress: &Progress{Number: 1, Hindered: held(v1alpha1.ReasonQuota, "full")}}, noon)
	failed := after(f, outcomesOf(f, bad))
	setConditions(failed, Standing{}, noon)
	passed := after(f, outcomesOf(f, nil))
	setConditions(passed, Standing{}, noon)
	refusedProbe := exampleProbe()
	setConditions(refusedProbe, Standing{Refusal: refused(v1alpha1.ReasonNoSelector, "no selector")}, noon)
	for name, c := range map[string]struct {
		before, after *v1alpha1.TCPProbe
		want          string
	}{
		"new":                {exampleProbe(), running, "Normal Running Complete"},
		"in trouble":         {running, waiting, "Warning Quota Complete"},
		"passed":             {running, passed, "Normal Completed Complete, Normal AllCovered Covered, Normal AllPassed PathHealthy"},
		"failed":             {running, failed, "Normal Completed Complete, Normal AllCovered Covered, Warning SequenceZeroDropped PathHealthy"},
		"the same again":     {failed, failed, ""},
		"healthy again":      {failed, passed, "Normal AllPassed PathHealthy"},
		"refused, said once": {exampleProbe(), refusedProbe, "Warning NoSelector Accepted"},
	} {
		var said []string
		for _, e := range news(c.before.Status.Conditions, c.after.Status.Conditions) {
			said = append(said, fmt.Sprint(e.kind, " ", e.reason, " ", e.action))
		}
		if got := strings.Join(said, ", "); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}
