package reconciler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/conditions"
	"github.com/tcpprobe/tcpprobe/controllers/gc"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/schedule"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// planner plans the run that is due, and announces it. Then its pods may be created.
type planner struct {
	resolver      *target.Resolver
	exclusivity   exclusivity
	caps          limits.Caps
	plans         client.Writer
	caches        client.Reader // plans and TCPProbes
	live          client.Reader
	namespace     string // of plans
	status        *statusWriter
	startsFilling sync.Mutex // held while a run that fills queues starts
}

// startRun announces the run, creates its plan and records the plan in the status.
func (p *planner) startRun(
	ctx context.Context, rc *reconcileContext, res *target.Resolved, configMap *corev1.ConfigMap, note string,
) error {
	observation := conditions.Observation{Note: note, Progress: &conditions.Progress{
		Number: schedule.NextNumber(rc.probe), Outcomes: make([]probepod.Outcome, len(res.Sources.Planned)),
	}}
	if run := rc.probe.Status.ActiveRun; run == nil || run.ID != configMap.Labels[runplan.LabelRun] {
		conditions.Announce(rc.probe, res, rc.now)
		if err := p.status.write(ctx, rc, observation); err != nil {
			return err
		}
	}
	stored, err := p.createPlan(ctx, configMap)
	if err != nil {
		return err
	}
	rc.probe.Status.ActiveRun.Plan = string(stored.UID)
	schedule.TakeSlot(rc.probe, rc.now)
	if err := p.status.write(ctx, rc, observation); err != nil {
		return err
	}
	run := rc.probe.Status.ActiveRun
	logf.FromContext(ctx).Info("run started", "run", run.Number, "trigger", run.Trigger, "sources", run.Sources)
	return nil
}

// prepare resolves and plans the run that is due. note is the message of Accepted.
func (p *planner) prepare(
	ctx context.Context, rc *reconcileContext,
) (res *target.Resolved, configMap *corev1.ConfigMap, note string, err error) {
	if err := p.refuseBacklog(ctx, rc.probe); err != nil {
		return nil, nil, "", err
	}
	res, err = p.resolver.Resolve(ctx, rc.probe)
	if err != nil {
		return nil, nil, "", err
	}
	run, err := runplan.New(rc.probe, schedule.RunID(rc.probe, schedule.NextNumber(rc.probe)), res)
	if errors.Is(err, plan.ErrInvalid) {
		return nil, nil, "", target.Refused(v1alpha1.ReasonNotSupported, "%v", err)
	}
	if err != nil {
		return nil, nil, "", err
	}
	run.NoteMissing(rc.probe, res, schedule.OpenFailure(rc.probe))
	if refusal := p.caps.Exceeds(run); refusal != nil {
		return nil, nil, "", refusal
	}
	if target.FillsQueues(rc.probe.Spec.Scenarios) {
		if err := p.exclusivity.check(ctx, rc.probe, run); err != nil {
			return nil, nil, "", err
		}
	}
	res.Sources.Planned = run.Nodes()
	configMap, err = runplan.NewConfigMap(rc.probe, run, p.namespace)
	note = res.Note(run.FillsNote())
	return res, configMap, note, err
}

// mostOpenPlans is how many plans with pods still to create a namespace may have. Each may have hundreds of kilobytes,
// and for more there is no room anyway.
const mostOpenPlans = 20

// refuseBacklog has the run wait, without a plan, while the namespace has as many runs with pods still to create as it
// may have.
func (p *planner) refuseBacklog(ctx context.Context, probe *v1alpha1.TCPProbe) error {
	plans, err := gc.OpenPlans(ctx, p.caches, p.namespace)
	if err != nil {
		return err
	}
	n := 0
	for _, open := range plans {
		if open.Probe.Namespace == probe.Namespace && open.Probe.UID != probe.UID {
			n++
		}
	}
	if n < mostOpenPlans {
		return nil
	}
	return target.Waiting(v1alpha1.ReasonQueued, "%d runs of namespace %s wait for probe pods already", n, probe.Namespace)
}

// createPlan creates the plan's ConfigMap, or finds the one that an earlier attempt or another manager created. An
// error that is a *Refusal says why the cluster refuses it.
func (p *planner) createPlan(ctx context.Context, configMap *corev1.ConfigMap) (*corev1.ConfigMap, error) {
	err := p.plans.Create(ctx, configMap)
	switch {
	case err == nil:
		return configMap, nil
	case !apierrors.IsAlreadyExists(err):
		refusal, err := classifyAPIError(err)
		return nil, cmp.Or(err, error(refusal))
	}
	var existing corev1.ConfigMap
	if err := p.live.Get(ctx, client.ObjectKeyFromObject(configMap), &existing); err != nil {
		return nil, fmt.Errorf("read the plan %s/%s that exists: %w", configMap.Namespace, configMap.Name, err)
	}
	if existing.Labels[runplan.LabelUID] != configMap.Labels[runplan.LabelUID] ||
		existing.Labels[runplan.LabelRun] != configMap.Labels[runplan.LabelRun] ||
		existing.DeletionTimestamp != nil {
		return nil, fmt.Errorf("ConfigMap %s/%s is in the way: it is being deleted or is not the plan of run %s; delete it",
			configMap.Namespace, configMap.Name, configMap.Labels[runplan.LabelRun])
	}
	return &existing, nil
}
