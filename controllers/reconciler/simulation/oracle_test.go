package simulation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// oracle sees every write and knows what was done to each run. It says what must not have happened.
type oracle struct {
	simulation *simulation

	mu       sync.Mutex
	problems []string
	runs     map[string]*run // by ID
	reported int
	touched  int                            // reported, with something that was done to them
	gone     map[types.UID]bool             // targets that may not be probed; true: they come back
	down     map[string]time.Time           // when the node was last NotReady; in the future while it is
	refused  map[string]time.Time           // until when no pod could be created, by the reason of it
	users    map[types.UID]bool             // what somebody else than a manager deletes
	numbers  map[types.UID]map[int64]string // the ID of each number, by TCPProbe
}

// run is what the oracle knows of one.
type run struct {
	begun    time.Time
	targets  []types.UID
	nodes    []string
	released map[string]types.UID       // pod that may run, by source
	done     map[string]map[string]bool // the reasons of what was done, by source; "" for all
}

func newOracle(s *simulation) *oracle {
	return &oracle{simulation: s, runs: map[string]*run{}, gone: map[types.UID]bool{}, down: map[string]time.Time{},
		refused: map[string]time.Time{}, users: map[types.UID]bool{}, numbers: map[types.UID]map[int64]string{}}
}

func (o *oracle) fail(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wrong(format, args...)
}

// wrong is fail with o.mu held.
func (o *oracle) wrong(format string, args ...any) {
	o.simulation.say("WRONG: "+format, args...)
	if len(o.problems) < 20 {
		o.problems = append(o.problems, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

func (o *oracle) failed() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.problems)
}

func (o *oracle) run(id string) *run {
	if o.runs[id] == nil {
		o.runs[id] = &run{begun: time.Now(), released: map[string]types.UID{}, done: map[string]map[string]bool{}}
	}
	return o.runs[id]
}

// saw is called with every write. The server is locked.
func (o *oracle) saw(before, after client.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch now := after.(type) {
	case *v1alpha1.TCPProbe:
		if was, ok := before.(*v1alpha1.TCPProbe); ok {
			o.sawStatus(now, &was.Status, &now.Status)
		}
	case *corev1.ConfigMap:
		o.sawPlan(before, now)
	case *corev1.Pod:
		if was, ok := before.(*corev1.Pod); ok && probepod.Gated(was) && !probepod.Gated(now) {
			o.sawRelease(now)
		}
	case nil:
		if plan, ok := before.(*corev1.ConfigMap); ok {
			o.sawDeletion(plan)
		}
	}
}

// sawPlan: a number's UID is written once.
func (o *oracle) sawPlan(before client.Object, now *corev1.ConfigMap) {
	records, err := probepod.ReadRecords(now)
	if err != nil {
		o.wrong("%s: %v", now.Name, err)
	}
	was, ok := before.(*corev1.ConfigMap)
	if !ok {
		rp, err := runplan.Decode(now.Data[runplan.KeyPlan], now.Data[runplan.KeySnapshot])
		if err != nil {
			o.wrong("%s: %v", now.Name, err)
			return
		}
		r := o.run(now.Labels[runplan.LabelRun])
		r.nodes = rp.Nodes()
		for _, e := range rp.Endpoints {
			r.targets = append(r.targets, e.UID)
		}
		return
	}
	earlier, _ := probepod.ReadRecords(was)
	for i, record := range earlier {
		if record.UID != "" && records[i].UID != record.UID {
			o.wrong("%s: the record of pod %d changes from %s to %s", now.Name, i, record.UID, records[i].UID)
		}
	}
}

// sawDeletion: the plan of an active run is deleted by nobody but users.
func (o *oracle) sawDeletion(plan *corev1.ConfigMap) {
	probe, _ := o.simulation.server.objects["TCPProbe"][runplan.ProbeOf(plan)].(*v1alpha1.TCPProbe)
	if probe == nil || probe.Status.ActiveRun == nil || o.users[plan.UID] {
		return
	}
	if probe.Status.ActiveRun.Plan == string(plan.UID) {
		o.wrong("%s: the plan of active run %d is deleted", probe.Name, probe.Status.ActiveRun.Number)
	}
}

// sawRelease: of a source one pod runs, and its UID is on record.
func (o *oracle) sawRelease(pod *corev1.Pod) {
	id, source := pod.Labels[runplan.LabelRun], pod.Annotations[runplan.AnnotationSource]
	r := o.run(id)
	if other, yes := r.released[source]; yes && other != pod.UID {
		o.wrong("run %s: two pods run on %s: %s and %s", id, source, other, pod.UID)
	}
	r.released[source] = pod.UID
	owner := metav1.GetControllerOf(pod)
	key := types.NamespacedName{Namespace: probes, Name: owner.Name}
	plan, _ := o.simulation.server.objects["ConfigMap"][key].(*corev1.ConfigMap)
	if plan == nil || plan.UID != owner.UID {
		return // it goes too
	}
	records, _ := probepod.ReadRecords(plan)
	i, err := strconv.Atoi(pod.Name[strings.LastIndex(pod.Name, "-")+1:])
	if err != nil || records[i].UID != pod.UID {
		o.wrong("run %s: pod %s runs and is not on record", id, pod.Name)
	}
}

// sawStatus: each number is one run, is reported once, and stays as it was reported.
func (o *oracle) sawStatus(probe *v1alpha1.TCPProbe, was, now *v1alpha1.TCPProbeStatus) {
	last, next := int64(0), int64(1)
	if was.LastRun != nil {
		last, next = was.LastRun.Number, was.LastRun.Number+1
	}
	if active := now.ActiveRun; active != nil && now.LastRun != nil && active.Number != now.LastRun.Number+1 {
		o.wrong("%s: run %d is active after run %d", probe.Name, active.Number, now.LastRun.Number)
	}
	if a, b := was.ActiveRun, now.ActiveRun; a != nil && a.Plan != "" && b != nil && (b.Plan != a.Plan || b.ID != a.ID) {
		o.wrong("%s: active run %s changes from plan %s to %s", probe.Name, a.ID, a.Plan, b.Plan)
	}
	if now.LastRun == nil {
		if was.LastRun != nil {
			o.wrong("%s: the report of run %d is gone", probe.Name, last)
		}
		return
	}
	if o.numbers[probe.UID] == nil {
		o.numbers[probe.UID] = map[int64]string{}
	}
	switch numbers := o.numbers[probe.UID]; {
	case now.LastRun.Number == last:
		if !equality.Semantic.DeepEqual(was.LastRun, now.LastRun) {
			o.wrong("%s: the report of run %d changes", probe.Name, last)
		}
	case now.LastRun.Number != next || numbers[next] != "":
		o.wrong("%s: run %d is reported after run %d (%s)", probe.Name, now.LastRun.Number, last, numbers[next])
	case was.ActiveRun == nil || was.ActiveRun.Plan == "" || was.ActiveRun.ID != now.LastRun.ID:
		o.wrong("%s: run %d is reported without having been active", probe.Name, next)
	default:
		numbers[next] = now.LastRun.ID
		o.sawReport(probe, now)
	}
}

// sawReport: what is reported is what was done to the run, and nothing else.
func (o *oracle) sawReport(probe *v1alpha1.TCPProbe, now *v1alpha1.TCPProbeStatus) {
	last := now.LastRun
	allowed, sources := o.allowed(last.ID)
	o.reported++
	if len(allowed) > 0 {
		o.touched++
	}
	o.simulation.say("%s: run %d (%s) ended: %s, %d of %d, %v", probe.Name, last.Number, last.ID, last.Verdict,
		last.Reported, last.Sources, allowed)
	for _, f := range now.Findings {
		if !allowed[f.Reason] {
			o.wrong("%s: run %d (%s) gives reason %s (%s); what was done to it: %v", probe.Name, last.Number, last.ID,
				f.Reason, f.Message, allowed)
		}
	}
	if missing := int(last.Sources - last.Reported); missing > sources {
		o.wrong("%s: run %d (%s): %d of %d sources reported, and something was done to %d", probe.Name, last.Number, last.ID,
			last.Reported, last.Sources, sources)
	}
	untouched := len(allowed) == 0 && last.Sources == 3
	if last.Verdict == string(report.Fail) || last.Verdict != string(report.Pass) && untouched {
		o.wrong("%s: run %d (%s): %s, and all reports passed", probe.Name, last.Number, last.ID, last.Verdict)
	}
}
