package gc

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/outcometest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
)

// pastPlan is the plan of run number n of the example, with pods that ended these numbers of minutes before noon.
func pastPlan(n int64, phase corev1.PodPhase, message string, ages ...int) (corev1.ConfigMap, []corev1.Pod) {
	probe := controllertest.Probe()
	id := schedule.RunID(probe, n)
	configMap := corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: runplan.ConfigMapName(probe.Name, id),
		UID:    types.UID("plan-" + id),
		Labels: map[string]string{runplan.LabelUID: string(probe.UID), runplan.LabelRun: id}}}
	var pods []corev1.Pod
	for i, age := range ages {
		status := corev1.PodStatus{Phase: phase}
		if phase != corev1.PodPending {
			status.ContainerStatuses = []corev1.ContainerStatus{{
				Name: probepod.ContainerName, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
					FinishedAt: metav1.NewTime(controllertest.Noon.Add(-time.Duration(age) * time.Minute)), Message: message,
				}},
			}}
		}
		pods = append(pods, corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: runplan.PodName(configMap.Name, i),
				OwnerReferences: []metav1.OwnerReference{{Kind: "ConfigMap", Name: configMap.Name, UID: configMap.UID}}},
			Status: status,
		})
	}
	return configMap, pods
}

// shortNames names what is deleted: "run1" for a plan, "run1-0" for a pod.
func shortNames(l Leftovers) string {
	short := func(name string) string {
		for n := range int64(9) {
			name = strings.Replace(name, runplan.ConfigMapName("web", schedule.RunID(controllertest.Probe(), n)),
				fmt.Sprint("run", n), 1)
		}
		return name
	}
	var out []string
	for _, configMap := range l.ConfigMaps {
		out = append(out, short(configMap.Name))
	}
	for _, p := range l.Pods {
		out = append(out, short(p.Name))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

type pastRun struct {
	configMap corev1.ConfigMap
	pods      []corev1.Pod
}

func run(n int64, phase corev1.PodPhase, message string, ages ...int) pastRun {
	configMap, pods := pastPlan(n, phase, message, ages...)
	return pastRun{configMap, pods}
}

// crashed has the containers of the run's pods end with an error.
func crashed(r pastRun) pastRun {
	for i := range r.pods {
		r.pods[i].Status.ContainerStatuses[0].State.Terminated.ExitCode = 2
	}
	return r
}

func plansAndPods(runs []pastRun) (plans []corev1.ConfigMap, pods []corev1.Pod) {
	for _, r := range runs {
		plans, pods = append(plans, r.configMap), append(pods, r.pods...)
	}
	return plans, pods
}

func TestLeftovers(t *testing.T) {
	rp := plantest.Example([]string{"kn1"}, []string{"kn2"})
	bad := outcometest.From(rp, map[string]controllertest.Change{"kn1": controllertest.Dropped()})[0].Text
	fine := outcometest.From(rp, nil)[0].Text
	planned := func(p *v1alpha1.TCPProbe) {
		configMap, _ := pastPlan(1, "", "")
		p.Status.ActiveRun = &v1alpha1.ActiveRun{ID: schedule.RunID(p, 1), Plan: string(configMap.UID)}
	}
	announced := func(p *v1alpha1.TCPProbe) { p.Status.ActiveRun = &v1alpha1.ActiveRun{ID: schedule.RunID(p, 1)} }
	other := func(p *v1alpha1.TCPProbe) {
		p.Status.ActiveRun = &v1alpha1.ActiveRun{ID: schedule.RunID(p, 1), Plan: "another"}
	}
	for name, c := range map[string]struct {
		past   []pastRun
		change func(*v1alpha1.TCPProbe) // nil: the TCPProbe is gone
		want   string
		next   time.Duration
	}{
		"gone": {[]pastRun{run(1, corev1.PodRunning, "", 0), run(2, corev1.PodFailed, "", 1)}, nil,
			"run1 run2", 0},
		"created again under that name": {[]pastRun{run(1, corev1.PodRunning, "", 0)},
			func(p *v1alpha1.TCPProbe) { p.UID = "new" }, "run1", 0},
		"running":                  {[]pastRun{run(1, corev1.PodRunning, "", 0)}, planned, "", 0},
		"not yet in the status":    {[]pastRun{run(1, corev1.PodRunning, "", 0)}, announced, "", 0},
		"a second plan of the run": {[]pastRun{run(1, corev1.PodPending, "", 0)}, other, "run1", 0},
		"passed": {[]pastRun{run(1, corev1.PodSucceeded, fine, 1, 2)}, func(*v1alpha1.TCPProbe) {}, "run1",
			0},
		"found something": {[]pastRun{run(1, corev1.PodSucceeded, bad, 1, 2)}, func(*v1alpha1.TCPProbe) {}, "",
			58 * time.Minute},
		"found something, and its phase is not changed yet": {[]pastRun{run(1, corev1.PodRunning, bad, 1, 2)},
			func(*v1alpha1.TCPProbe) {}, "", 58 * time.Minute},
		"passed, and its phase is not changed yet": {[]pastRun{run(1, corev1.PodRunning, fine, 1, 2)},
			func(*v1alpha1.TCPProbe) {}, "run1", 0},
		"crashed, and its phase is not changed yet": {[]pastRun{crashed(run(1, corev1.PodRunning, "", 1))},
			func(*v1alpha1.TCPProbe) {}, "", 59 * time.Minute},
		"nonsense": {[]pastRun{run(1, corev1.PodSucceeded, "nonsense", 1)}, func(*v1alpha1.TCPProbe) {}, "",
			59 * time.Minute},
		"failed": {[]pastRun{run(1, corev1.PodFailed, "", 1, 2, 3, 4, 5)}, func(*v1alpha1.TCPProbe) {},
			"run1-3 run1-4", 57 * time.Minute},
		"failed, long ago": {[]pastRun{run(1, corev1.PodFailed, "", 60, 70)}, func(*v1alpha1.TCPProbe) {}, "run1", 0},
		"failed again": {[]pastRun{run(1, corev1.PodFailed, "", 30, 31), run(2, corev1.PodFailed, "", 1, 2, 3)},
			func(*v1alpha1.TCPProbe) {}, "run1", 57 * time.Minute},
		"failed again, once": {[]pastRun{run(1, corev1.PodFailed, "", 30, 31, 32), run(2, corev1.PodFailed, "", 1)},
			func(*v1alpha1.TCPProbe) {}, "run1-2", 29 * time.Minute},
		"never started": {[]pastRun{run(1, corev1.PodPending, "", 1)}, func(*v1alpha1.TCPProbe) {}, "run1", 0},
	} {
		t.Run(name, func(t *testing.T) {
			plans, pods := plansAndPods(c.past)
			var probe *v1alpha1.TCPProbe
			if c.change != nil {
				probe = controllertest.Probe()
				c.change(probe)
			}
			l := leftovers(plans, pods, probe, 0, controllertest.Noon)
			if got := shortNames(l); got != c.want || l.Next != c.next {
				t.Errorf("deletes %q, next in %v; want %q, %v", got, l.Next, c.want, c.next)
			}
		})
	}
}
