//go:build envtest

package golden

import (
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// oldManagerVariable is the environment variable with the path of an older manager. With -update it writes
// testdata/upgrade: see README.md.
const oldManagerVariable = "TCPPROBE_OLD_MANAGER"

// caseWithActiveRun is the case with an active run.
const caseWithActiveRun = "upgrade-active"

// changesBeforeTheUpgrade are made to stored TCPProbes while no manager runs.
var changesBeforeTheUpgrade = map[string]map[string]any{
	"upgrade-annotated": {
		"metadata": map[string]any{"annotations": map[string]any{"tcpprobe.dev/run": "after the upgrade"}},
	},
	"upgrade-edited": {"metadata": map[string]any{"generation": int64(2)}, "spec": map[string]any{"paths": int64(32)}},
}

// TestUpgrade starts a manager on the objects of an older one. Nothing runs again unless somebody asked for it, and
// the active run continues.
func TestUpgrade(t *testing.T) {
	c := connect(t)
	cases := readCases(t, "upgrade-cases")
	if old := os.Getenv(oldManagerVariable); old != "" && *update {
		recordUpgrade(t, c, cases, old)
	}
	before := make(map[string]string)
	for _, tc := range cases {
		if old := os.Getenv(oldManagerVariable); old == "" || !*update {
			if err := tc.createObjects(c); err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
		}
		kept, err := readStored(tc.name)
		if err != nil {
			t.Fatal(err)
		}
		if err := kept.restore(t.Context(), c, changesBeforeTheUpgrade[tc.name]); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		before[tc.name] = tc.statusWithoutConditions(t, c)
		defer tc.cleanUp(t, c) //nolint:gocritic // all of them end with the test
	}
	c.startManager(t, program(t, "manager"), append(highLimits, "--metrics-bind-address=0")...)
	for _, tc := range cases {
		switch {
		case tc.name == caseWithActiveRun:
			tc.requireRunContinues(t, c)
		case changesBeforeTheUpgrade[tc.name] != nil:
			tc.requireOneMoreRun(t, c)
		}
	}
	// The manager has read all objects at its start, and has carried out what was asked since. So it has seen these too.
	for _, tc := range cases {
		if tc.name != caseWithActiveRun && changesBeforeTheUpgrade[tc.name] == nil {
			tc.requireNoRun(t, c, before[tc.name])
		}
	}
	requireNoStaleFiles(t, "upgrade-status")
}

// recordUpgrade runs the cases with the old manager and stores what it left.
func recordUpgrade(t *testing.T, c *cluster, cases []*testCase, old string) {
	for _, tc := range cases {
		if err := tc.createObjects(c); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
	}
	stop := c.startManager(t, old, append(highLimits, "--metrics-bind-address=0")...)
	for _, tc := range cases {
		tc.run(t, c)
		tc.store(t, c)
	}
	stop()
	for _, tc := range cases {
		tc.cleanUp(t, c)
	}
}

// lastRun is the ID and the number of the last run.
func lastRun(probe *unstructured.Unstructured) (id string, number int64) {
	id, _, _ = unstructured.NestedString(probe.Object, "status", "lastRun", "id")
	number, _, _ = unstructured.NestedInt64(probe.Object, "status", "lastRun", "number")
	return id, number
}

// statusWithoutConditions leaves out the conditions, because their messages may change between versions.
func (tc *testCase) statusWithoutConditions(t *testing.T, c *cluster) string {
	t.Helper()
	status, _, _ := unstructured.NestedMap(tc.current(t, c).Object, "status")
	delete(status, "conditions")
	return mustJSON(status)
}

// requireNoRun fails the test if a run has started or ended.
func (tc *testCase) requireNoRun(t *testing.T, c *cluster, before string) {
	t.Helper()
	after := tc.statusWithoutConditions(t, c)
	if after != before {
		t.Errorf("%s: the status was %s and is %s", tc.name, before, after)
	}
	var plans corev1.ConfigMapList
	mine := client.MatchingLabels{"tcpprobe.dev/probe-namespace": tc.name}
	err := c.api.List(t.Context(), &plans, client.InNamespace(probeNamespace), mine)
	if err != nil || len(plans.Items) > 0 {
		t.Errorf("%s: %d plans, %v", tc.name, len(plans.Items), err)
	}
	recorded.add("upgrade/"+tc.name, after != before || len(plans.Items) > 0)
}

// requireRunContinues fails the test if the active run does not end with its ID and its pods.
func (tc *testCase) requireRunContinues(t *testing.T, c *cluster) {
	t.Helper()
	before := tc.current(t, c)
	run, _, _ := unstructured.NestedString(before.Object, "status", "activeRun", "id")
	tc.finish(t, c, "Complete=Completed run 1")
	if id, number := lastRun(tc.current(t, c)); id != run || number != 1 || run == "" {
		t.Errorf("run %d is %s; the active one was %s", number, id, run)
	}
}

// requireOneMoreRun fails the test if there is not one more run.
func (tc *testCase) requireOneMoreRun(t *testing.T, c *cluster) {
	t.Helper()
	tc.finish(t, c, "Complete=Completed run 2")
}

// finish lets all pods pass that have not ended, and compares the documents.
func (tc *testCase) finish(t *testing.T, c *cluster, until string) {
	t.Helper()
	k := &kubelet{cluster: c, testCase: tc, outcomes: map[string]string{"any": "pass"}, done: make(map[types.UID]bool)}
	var pods corev1.PodList
	mine := client.MatchingLabels{"tcpprobe.dev/probe-namespace": tc.name}
	if err := c.api.List(t.Context(), &pods, client.InNamespace(probeNamespace), mine); err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if pod.Status.Phase == corev1.PodSucceeded {
			k.done[pod.UID] = true
		}
	}
	r := &recorder{cluster: c, testCase: tc, kubelet: k, quiet: true} // the older manager has written the same events
	k.watch(t, until)
	r.add(t, "")
	compare(t, "upgrade-status/"+tc.name+".yaml", r.document(t))
}
