package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// start begins the run that is due: announced in the status, then ordered, then the order's UID in the status, and
// only then its pods. Whatever was done before the manager last died is done again or taken over.
func (p *pass) start(ctx context.Context) (reconcile.Result, error) {
	if fillsQueues(p.probe.Spec.Scenarios) {
		p.filling.Lock()
		defer p.filling.Unlock()
	}
	gathered, order, err := p.prepare(ctx)
	if err == nil {
		err = p.begin(ctx, gathered, order)
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return p.refuse(ctx, refusal)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	return p.advance(ctx)
}

// begin takes the run to where its pods may be made.
func (p *pass) begin(ctx context.Context, g *Gathered, order *corev1.ConfigMap) error {
	standing := Standing{Note: g.note(), Progress: &Progress{
		Number: nextNumber(p.probe), Outcomes: make([]Outcome, len(g.Sources.Planned)),
	}}
	if run := p.probe.Status.ActiveRun; run == nil || run.ID != order.Labels[labelRun] {
		announce(p.probe, g, p.now)
		if err := p.write(ctx, standing); err != nil {
			return err
		}
	}
	placed, err := p.place(ctx, order)
	if err != nil {
		return err
	}
	p.probe.Status.ActiveRun.Plan = string(placed.UID)
	takeSlot(p.probe, p.now)
	if err := p.write(ctx, standing); err != nil {
		return err
	}
	run := p.probe.Status.ActiveRun
	logf.FromContext(ctx).Info("run started", "run", run.Number, "trigger", run.Trigger, "sources", run.Sources)
	return nil
}

// prepare gathers and freezes the run that is due.
func (p *pass) prepare(ctx context.Context) (*Gathered, *corev1.ConfigMap, error) {
	gathered, err := p.gather(ctx, p.probe)
	if err == nil && fillsQueues(p.probe.Spec.Scenarios) {
		err = p.contend(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	frozen, err := freeze(p.probe, runID(p.probe, nextNumber(p.probe)), gathered)
	if errors.Is(err, plan.ErrInvalid) {
		return nil, nil, refused(v1alpha1.ReasonNotSupported, "%v", err)
	}
	if err != nil {
		return nil, nil, err
	}
	if r := p.Caps.exceeds(frozen); r != nil {
		return nil, nil, r
	}
	gathered.Sources.Planned, gathered.Fills = frozen.Nodes(), frozen.fills()
	order, err := newOrder(p.probe, frozen, p.Prober.Namespace)
	return gathered, order, err
}

// place creates the order, or finds the one that an earlier attempt or another manager created. An error that is a
// *Refusal says why the cluster does not take it.
func (p *pass) place(ctx context.Context, order *corev1.ConfigMap) (*corev1.ConfigMap, error) {
	err := p.Create(ctx, order)
	switch {
	case err == nil:
		return order, nil
	case !apierrors.IsAlreadyExists(err):
		hindrance, err := hindranceOf(err)
		return nil, cmp.Or(err, error(hindrance))
	}
	var there corev1.ConfigMap
	if err := p.Live.Get(ctx, client.ObjectKeyFromObject(order), &there); err != nil {
		return nil, fmt.Errorf("read the plan %s/%s that exists: %w", order.Namespace, order.Name, err)
	}
	if there.Labels[labelUID] != order.Labels[labelUID] || there.Labels[labelRun] != order.Labels[labelRun] || there.DeletionTimestamp != nil {
		return nil, fmt.Errorf("ConfigMap %s/%s is in the way: it is being deleted or is not the plan of run %s; delete it", order.Namespace, order.Name, order.Labels[labelRun])
	}
	return &there, nil
}

// refuse shows why the run that is due does not start, and tries again: soon at first, then less and less often.
func (p *pass) refuse(ctx context.Context, why *Refusal) (reconcile.Result, error) {
	p.probe.Status.ActiveRun = nil // announced at most
	p.probe.Status.Target = cut(wanted(p.probe), 128)
	if err := p.write(ctx, Standing{Refusal: why}); err != nil {
		return reconcile.Result{}, err
	}
	since := p.now
	if c := meta.FindStatusCondition(p.probe.Status.Conditions, v1alpha1.ConditionComplete); c != nil {
		since = c.LastTransitionTime.Time
	}
	return reconcile.Result{RequeueAfter: retryAfter(p.now.Sub(since))}, nil
}

// retryAfter grows with the time that the run has been waiting, from 1 s to 1 min.
func retryAfter(waiting time.Duration) time.Duration {
	return min(max(waiting/4, time.Second), time.Minute)
}
