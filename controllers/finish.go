package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// finish turns the outcomes of a run whose sources are all settled into the last run.
func (p *pass) finish(ctx context.Context, s *Scene, outcomes []Outcome) (reconcile.Result, error) {
	amend, err := p.recheck(ctx, s.Frozen, outcomes)
	if err != nil {
		return reconcile.Result{}, err
	}
	conclude(p.probe, tally(s.Frozen, outcomes, amend), p.now)
	p.hindered.forget(s.Frozen.Plan.Run)
	return p.conclude(ctx)
}

// conclude writes the run's end, once: the resourceVersion lets one manager through. Then its order goes.
func (p *pass) conclude(ctx context.Context) (reconcile.Result, error) {
	weigh(p.probe, p.now)
	keepTime(p.probe, p.now)
	if err := p.write(ctx, Standing{}); err != nil {
		return reconcile.Result{}, err
	}
	countRun(&p.probe.Status)
	run := p.probe.Status.LastRun
	logf.FromContext(ctx).Info("run ended", "run", run.Number, "verdict", run.Verdict, "sources", run.Sources, "reported", run.Reported)
	return p.wait(ctx)
}

// recheck looks again, uncached, at every target: nothing is published about a pod that is no longer the one that was
// probed, or that a NetworkPolicy may shield.
func (p *pass) recheck(ctx context.Context, f *Frozen, outcomes []Outcome) (Amendments, error) {
	amend := Amendments{Changed: make(map[int]Change), Policy: make(map[int]string)}
	probed := allTargets(f)
	namespace := f.namespace(p.probe.Namespace)
	pods, err := p.pods(ctx, namespace, podNames(f, probed))
	if err != nil {
		return amend, err
	}
	behind, err := p.behindChanged(ctx, f, p.probe.Namespace)
	if err != nil {
		return amend, err
	}
	for target := range probed {
		change := Change{What: behind, Moved: true}
		if e := f.Endpoints[target]; e.Pod != "" {
			change = e.changed(pods[e.Pod])
		} else if !f.viaClusterIP(target) {
			continue
		}
		if change.What != "" {
			amend.Changed[target] = change
		}
	}
	silent := silentTargets(f, outcomes)
	if len(silent) == 0 {
		return amend, nil
	}
	var policies networkingv1.NetworkPolicyList
	if err := p.Live.List(ctx, &policies, client.InNamespace(namespace)); err != nil {
		return amend, fmt.Errorf("list the NetworkPolicies of namespace %s: %w", namespace, err)
	}
	amend.addPolicies(f, silent, pods, policies.Items)
	return amend, nil
}

func (m Amendments) addPolicies(f *Frozen, silent map[int]bool, pods map[string]*corev1.Pod, policies []networkingv1.NetworkPolicy) {
	for target := range silent {
		if pod := pods[f.Endpoints[target].Pod]; pod != nil {
			if name := ingressPolicy(pod, policies); name != "" {
				m.Policy[target] = name
			}
		}
	}
}

// allTargets are those that any source probed.
func allTargets(f *Frozen) map[int]bool {
	all := make(map[int]bool)
	for _, targets := range f.Plan.Sources {
		for _, target := range targets {
			all[target] = true
		}
	}
	return all
}

func podNames(f *Frozen, targets map[int]bool) []string {
	names := make(map[string]bool)
	for target := range targets {
		if pod := f.Endpoints[target].Pod; pod != "" {
			names[pod] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
