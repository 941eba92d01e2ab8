package schedule

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// A run's ID has two halves, joined by a dash. The first is a hash of what is asked: the TCPProbe's UID and what of
// its spec matters to a run, see hashedFields. The second is a hash of which asking it is: the run annotation and the
// run's number as well. So status alone tells whether a run is due, and whether the last run answers today's spec, and
// no two runs ever have the same ID: numbers only grow, under the resourceVersion of the status.

// RunID is the ID of the probe's run with this number, as spec and annotation are now.
func RunID(probe *v1alpha1.TCPProbe, number int64) string {
	question := questionID(probe)
	asking := fmt.Sprintf("%s\x00%s\x00%d", question, probe.Annotations[v1alpha1.RunAnnotation], number)
	return question + "-" + digest(asking)
}

// questionID is the first half: what the probe asks.
func questionID(probe *v1alpha1.TCPProbe) string {
	text, err := json.Marshal(struct {
		UID  types.UID
		Spec v1alpha1.TCPProbeSpec
	}{probe.UID, hashedPart(&probe.Spec, hashedFields)})
	if err != nil {
		panic("controllers: a spec that came as JSON does not marshal: " + err.Error())
	}
	return digest(string(text))
}

// digest is 50 bits of SHA-256 in base 32: ten lower-case letters and digits.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:10]
}

// Answered reports whether the last run answers what the probe asks now, annotation included: nothing is due.
func Answered(probe *v1alpha1.TCPProbe) bool {
	last := probe.Status.LastRun
	return last != nil && last.ID == RunID(probe, last.Number)
}

// SameQuestion reports whether the last run was of today's spec, be it for an earlier annotation.
func SameQuestion(probe *v1alpha1.TCPProbe) bool {
	last := probe.Status.LastRun
	return last != nil && strings.HasPrefix(last.ID, questionID(probe)+"-")
}

// Trigger is what starts the run that is due.
func Trigger(probe *v1alpha1.TCPProbe) string {
	switch {
	case Answered(probe):
		return v1alpha1.TriggerInterval
	case SameQuestion(probe):
		return v1alpha1.TriggerAnnotation
	}
	return v1alpha1.TriggerSpec
}

// NextNumber counts the run that is due.
func NextNumber(probe *v1alpha1.TCPProbe) int64 {
	if last := probe.Status.LastRun; last != nil {
		return last.Number + 1
	}
	return 1
}
