//go:build envtest

package envtest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	nodev1 "k8s.io/api/node/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// admitted are the fields of a pod's spec that the manager may fill otherwise, with the reason. No other field is
// admitted with another value, whatever Kubernetes adds to a pod: a new field makes TestNoOtherFieldIsAdmitted fail.
var admitted = map[string]string{
	"containers[0].imagePullPolicy": "the image is pinned; when nodes pull it the manager's --prober-pull-policy says, " +
		"and the admission plugin AlwaysPullImages",
	"imagePullSecrets[+].name": "they pull the pinned image; the admission plugin for service accounts writes those of " +
		"the account prober",
	"activeDeadlineSeconds": "it follows from the TCPProbe, between 80 and 3675",
}

// TestNoOtherFieldIsAdmitted walks every field of a pod's spec by reflection. It gives each another value, and leaves
// out each that is set. As the manager it tries to create such a pod, and must be refused by the policy or by the API
// server itself. A change that the API server undoes is none.
func TestNoOtherFieldIsAdmitted(t *testing.T) {
	k := policed(t)
	haveDefaultAccount(t)
	class := &nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: "other"}, Handler: "other"}
	if err := client.IgnoreAlreadyExists(api.Create(t.Context(), class)); err != nil {
		t.Fatal(err)
	}
	made := managersPod(t)
	if err := k.Create(t.Context(), made, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	changes, tried := changesOf(managersPod(t)), newTrial()
	for _, c := range changes {
		switch err := k.Create(t.Context(), c.pod, client.DryRunAll); {
		case err == nil && cmp.Equal(c.pod.Spec, made.Spec):
			tried.note(c.path, "undone")
		case err == nil && admitted[c.path] != "":
			tried.note(c.path, "admitted")
		case err == nil:
			t.Errorf("admitted: another %s:\n%s", c.path, cmp.Diff(made.Spec, c.pod.Spec))
		case strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'tcpprobe-probe-pods'"):
			if strings.Contains(err.Error(), "resulted in error") || strings.Contains(err.Error(), "no such key") {
				t.Errorf("%s: refused without a message for people: %v", c.path, err)
			}
			tried.note(c.path, "refused by the policy")
		case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsForbidden(err),
			strings.Contains(err.Error(), "resource name may not be empty"): // of a RuntimeClass
			tried.note(c.path, "refused by the API server")
		default:
			t.Errorf("%s: %v", c.path, err)
		}
	}
	t.Logf("%d changes: %v", len(changes), tried.count)
	tried.check(t)
}

// trial has what became of the changes.
type trial struct {
	count map[string]int
	what  map[string]map[string]bool // by field of the pod or of its parts
}

func newTrial() trial { return trial{map[string]int{}, map[string]map[string]bool{}} }

func (tr trial) note(path, what string) {
	tr.count[what]++
	for _, field := range []string{path, fieldOf(path)} {
		if tr.what[field] == nil {
			tr.what[field] = map[string]bool{}
		}
		tr.what[field][what] = true
	}
}

// fieldOf is the field of the pod, of its container or of a security context that the path leads through.
func fieldOf(path string) string {
	n := 1
	for _, part := range []string{"containers[0].securityContext.", "containers[0].", "securityContext."} {
		if strings.HasPrefix(path, part) {
			n = strings.Count(part, ".") + 1
			break
		}
	}
	parts := strings.Split(path, ".")
	return strings.Split(strings.Join(parts[:min(n, len(parts))], "."), "[+]")[0]
}

// onlyValidated are the fields of which the API server itself takes no other value here, so that the policy is not
// asked.
var onlyValidated = map[string]string{
	"containers[0]":                           "a pod without a container is none",
	"containers[0].restartPolicyRules":        "only with a restartPolicy of the container, which the policy refuses",
	"containers[0].securityContext.procMount": "only with hostUsers false, which the policy refuses",
	"containers[0].volumeDevices":             "only with a PersistentVolumeClaim, which the policy refuses",
	"ephemeralContainers":                     "not when a pod is created; the policy refuses the subresource",
	"evictionResponders":                      "behind a feature gate that is off",
	"nodeName":                                "not with a scheduling gate, without which the policy refuses a pod",
	"overhead":                                "only as the RuntimeClass says, which the policy refuses",
	"preemptionPolicy":                        "only as the PriorityClass says, which is pinned",
	"priority":                                "only as the PriorityClass says, which is pinned",
	"schedulingGroup":                         "behind a feature gate that is off",
	"serviceAccount":                          "an old name of serviceAccountName, which decides",
}

// check fails the test if an exception is none any more, or if a field was only tried with values that are no values.
func (tr trial) check(t *testing.T) {
	t.Helper()
	for path, why := range admitted {
		if !tr.what[path]["admitted"] {
			t.Errorf("%s is not admitted any more (%s): take it out", path, why)
		}
	}
	for path, what := range tr.what {
		if path != fieldOf(path) || what["refused by the policy"] || what["admitted"] || onlyValidated[path] != "" {
			continue
		}
		t.Errorf("the policy was never asked about %s (%v): give the test a value that the API server takes", path, what)
	}
}

// TestWalkFindsFields: the walk reaches fields at every depth, those of nil structs, lists and maps among them.
func TestWalkFindsFields(t *testing.T) {
	var paths []string
	for _, c := range changesOf(managersPod(t)) {
		paths = append(paths, c.path)
		if text, err := json.Marshal(c.pod.Spec); err != nil || len(text) == 0 {
			t.Fatal(c.path, err)
		}
	}
	for _, want := range []string{"hostPID", "nodeName", "containers[0].args[0]", "containers[0].args[+]",
		"containers[0].securityContext.capabilities.add[+]", "containers[0].livenessProbe.httpGet.host",
		"containers[0].lifecycle.preStop.exec.command[+]", "containers[0].resources.limits[+]", "nodeSelector[+]",
		"securityContext.sysctls[+].name", "securityContext.windowsOptions.hostProcess", "volumes[+].hostPath.path",
		"volumes[0].configMap.name", "initContainers[+].image", "hostAliases[+].ip",
		"affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].values[0]",
		"containers[0].env[+].valueFrom.secretKeyRef.name", "runtimeClassName", "hostUsers"} {
		if !slices.Contains(paths, want) {
			t.Errorf("%s is not visited", want)
		}
	}
}
