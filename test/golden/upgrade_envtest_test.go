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

// oldManager is the program that writes testdata/upgrade anew, with -update; see README.md.
const oldManager = "TCPPROBE_OLD_MANAGER"

// active is the one with a run that goes on.
const active = "upgrade-active"

// changes are made to stored TCPProbes while no manager runs.
var changes = map[string]map[string]any{
	"upgrade-annotated": {
		"metadata": map[string]any{"annotations": map[string]any{"tcpprobe.dev/run": "after the upgrade"}},
	},
	"upgrade-edited": {"metadata": map[string]any{"generation": int64(2)}, "spec": map[string]any{"paths": int64(32)}},
}

// TestUpgrade starts a manager on what an older one left: nothing runs again unless somebody asked for it, and the
// run that was active goes on.
func TestUpgrade(t *testing.T) {
	c := connected(t)
	scenes := readScenes(t, "upgrade-scenes")
	if old := os.Getenv(oldManager); old != "" && *update {
		recordUpgrade(t, c, scenes, old)
	}
	before := make(map[string]string)
	for _, s := range scenes {
		if old := os.Getenv(oldManager); old == "" || !*update {
			if err := s.furnish(c); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
		}
		kept, err := readStored(s.name)
		if err != nil {
			t.Fatal(err)
		}
		if err := kept.restore(t.Context(), c, changes[s.name]); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		before[s.name] = s.outcome(t, c)
		defer s.leave(t, c) //nolint:gocritic // all of them end with the test
	}
	c.manage(t, program(t, "manager"), append(ample, "--metrics-bind-address=0")...)
	for _, s := range scenes {
		switch {
		case s.name == active:
			s.goesOn(t, c)
		case changes[s.name] != nil:
			s.runsAgain(t, c)
		}
	}
	// The manager began with all that there was, and has carried out what was asked since: it has seen everything.
	for _, s := range scenes {
		if s.name != active && changes[s.name] == nil {
			s.rests(t, c, before[s.name])
		}
	}
	complete(t, "upgrade-status")
}

// recordUpgrade has the old manager play the scenes, and keeps what it left.
func recordUpgrade(t *testing.T, c *cluster, scenes []*scene, old string) {
	for _, s := range scenes {
		if err := s.furnish(c); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	stop := c.manage(t, old, append(ample, "--metrics-bind-address=0")...)
	for _, s := range scenes {
		s.play(t, c)
		s.keep(t, c)
	}
	stop()
	for _, s := range scenes {
		s.leave(t, c)
	}
}

// lastRun is the ID and the number of the last run.
func lastRun(probe *unstructured.Unstructured) (id string, number int64) {
	id, _, _ = unstructured.NestedString(probe.Object, "status", "lastRun", "id")
	number, _, _ = unstructured.NestedInt64(probe.Object, "status", "lastRun", "number")
	return id, number
}

// outcome is the status but for the conditions, whose words may change from version to version.
func (s *scene) outcome(t *testing.T, c *cluster) string {
	t.Helper()
	status, _, _ := unstructured.NestedMap(s.now(t, c).Object, "status")
	delete(status, "conditions")
	return mustJSON(status)
}

// rests demands that no run has begun or ended.
func (s *scene) rests(t *testing.T, c *cluster, before string) {
	t.Helper()
	after := s.outcome(t, c)
	if after != before {
		t.Errorf("%s: the status was %s and is %s", s.name, before, after)
	}
	var plans corev1.ConfigMapList
	mine := client.MatchingLabels{"tcpprobe.dev/probe-namespace": s.name}
	err := c.api.List(t.Context(), &plans, client.InNamespace(probeNamespace), mine)
	if err != nil || len(plans.Items) > 0 {
		t.Errorf("%s: %d plans, %v", s.name, len(plans.Items), err)
	}
	recorded.add("upgrade/"+s.name, after != before || len(plans.Items) > 0)
}

// goesOn demands that the active run ends as itself, with the pods that it had.
func (s *scene) goesOn(t *testing.T, c *cluster) {
	t.Helper()
	before := s.now(t, c)
	run, _, _ := unstructured.NestedString(before.Object, "status", "activeRun", "id")
	s.finish(t, c, "Complete=Completed run 1")
	if id, number := lastRun(s.now(t, c)); id != run || number != 1 || run == "" {
		t.Errorf("run %d is %s; the active one was %s", number, id, run)
	}
}

// runsAgain demands one more run.
func (s *scene) runsAgain(t *testing.T, c *cluster) {
	t.Helper()
	s.finish(t, c, "Complete=Completed run 2")
}

// finish lets all pods that have not ended pass, and compares what comes of it.
func (s *scene) finish(t *testing.T, c *cluster, until string) {
	t.Helper()
	k := &kubelet{cluster: c, scene: s, fates: map[string]string{"any": "pass"}, done: make(map[types.UID]bool)}
	var pods corev1.PodList
	mine := client.MatchingLabels{"tcpprobe.dev/probe-namespace": s.name}
	if err := c.api.List(t.Context(), &pods, client.InNamespace(probeNamespace), mine); err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if pod.Status.Phase == corev1.PodSucceeded {
			k.done[pod.UID] = true
		}
	}
	r := &recorder{cluster: c, scene: s, kubelet: k, quiet: true} // an older manager told of the same
	k.watch(t, until)
	r.add(t, "")
	compare(t, "upgrade-status/"+s.name+".yaml", r.document(t))
}
