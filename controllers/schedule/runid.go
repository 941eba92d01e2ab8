package schedule

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// A run's ID is two hashes, joined by a dash. The first is of the TCPProbe's UID and the part of its spec that changes
// what a run sends, see hashedFields. The second adds the run annotation and the run's number. So the status alone
// tells whether a run is due, and whether the last run had today's spec. No two runs have the same ID: numbers only
// grow, under the resourceVersion of the status.

// RunID is the ID of the probe's run with this number, with its present spec and annotation.
func RunID(probe *v1alpha1.TCPProbe, number int64) string {
	spec := specHash(probe)
	run := fmt.Sprintf("%s\x00%s\x00%d", spec, Requested(probe), number)
	return spec + "-" + digest(run)
}

// Requested is the value of the run annotation that the next run answers. To remove the annotation asks for no run: the
// value that was handled last still holds.
func Requested(probe *v1alpha1.TCPProbe) string {
	return cmp.Or(probe.Annotations[v1alpha1.RunAnnotation], probe.Status.HandledRun)
}

// specHash is the first half of the ID.
func specHash(probe *v1alpha1.TCPProbe) string {
	text, err := json.Marshal(struct {
		UID  types.UID
		Spec v1alpha1.TCPProbeSpec
	}{probe.UID, hashedPart(&probe.Spec, hashedFields)})
	if err != nil {
		panic("schedule: a spec that came as JSON does not marshal: " + err.Error())
	}
	return digest(string(text))
}

// digest is 50 bits of SHA-256 in base 32: ten lower-case letters and digits.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:10]
}

// LastRunIsCurrent reports whether the last run had the present spec and annotation. Then no run is due.
func LastRunIsCurrent(probe *v1alpha1.TCPProbe) bool {
	last := probe.Status.LastRun
	return last != nil && last.ID == RunID(probe, last.Number)
}

// LastRunHasThisSpec reports whether the last run had the present spec, with whatever annotation.
func LastRunHasThisSpec(probe *v1alpha1.TCPProbe) bool {
	last := probe.Status.LastRun
	return last != nil && strings.HasPrefix(last.ID, specHash(probe)+"-")
}

// OpenFailure is the last failure with this spec, if no run has passed since with all that failed in it.
func OpenFailure(probe *v1alpha1.TCPProbe) *v1alpha1.LastFailure {
	if f := probe.Status.LastFailure; f != nil && f.PassedTime == nil && LastRunHasThisSpec(probe) {
		return f
	}
	return nil
}

// Trigger is what starts the run that is due.
func Trigger(probe *v1alpha1.TCPProbe) string {
	switch {
	case LastRunIsCurrent(probe):
		return v1alpha1.TriggerInterval
	case LastRunHasThisSpec(probe):
		return v1alpha1.TriggerAnnotation
	}
	return v1alpha1.TriggerSpec
}

// NextNumber is the number of the run that is due.
func NextNumber(probe *v1alpha1.TCPProbe) int64 {
	if last := probe.Status.LastRun; last != nil {
		return last.Number + 1
	}
	return 1
}
