package target

import (
	"context"
	"errors"
	"net/netip"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Revalidate reports why these targets must no longer be probed, although they were allowed when the run was planned:
// a pod has moved, or the Service's owner has withdrawn the consent. A pod may wait for its turn for so long that the
// target's address belongs to another pod by then. fills says whether queues are filled.
func (r *Resolver) Revalidate(
	ctx context.Context, tenant string, s *Snapshot, targets []int, fills bool,
) (*Refusal, error) {
	if refusal, err := r.withdrawn(ctx, tenant, s, fills); refusal != nil || err != nil {
		return refusal, err
	}
	switch what, err := r.clusterIPChanged(ctx, s, tenant); {
	case err != nil:
		return nil, err
	case what != "":
		return Refused(v1alpha1.ReasonTargetChanged, "not probed: %s before its turn came", what), nil
	}
	names := s.podsBehind(targets)
	if fills {
		names = unique(append(names, s.Spared...))
	}
	pods, err := r.pods(ctx, s.Namespace(tenant), names)
	if err != nil {
		return nil, err
	}
	if fills {
		if refusal := stoppedServing(s, pods); refusal != nil {
			return refusal, nil
		}
	}
	for _, target := range targets {
		e := s.Endpoints[target]
		if e.Pod == "" {
			continue
		}
		if what := e.moved(pods[e.Pod]); what != "" {
			return Refused(v1alpha1.ReasonTargetChanged, "not probed: %s before its turn came (%s)",
				what, netip.AddrPortFrom(e.Address, e.Port)), nil
		}
	}
	return nil, nil
}

// withdrawn reports that a consent does not hold any more: of another namespace's Service to be probed, of any Service
// to have its queues filled, or of the administrator to probe an address.
func (r *Resolver) withdrawn(ctx context.Context, tenant string, s *Snapshot, fills bool) (*Refusal, error) {
	if s.Target.Address == nil && !fills && s.Namespace(tenant) == tenant {
		return nil, nil
	}
	service, refusal, err := r.stillTarget(ctx, tenant, &s.Target)
	if refusal == nil && err == nil && fills {
		refusal = consentRules.refuse(consentInput{fills, service})
	}
	return refusal, err
}

// stillTarget reads the target of the spec again. The refusal says why nobody may probe it any more.
func (r *Resolver) stillTarget(
	ctx context.Context, tenant string, target *v1alpha1.Target,
) (service *Service, refusal *Refusal, err error) {
	if target.Address != nil {
		err = r.stillAllowed(ctx, tenant, target.Address)
	} else {
		service, err = r.service(ctx, tenant, target.Service)
	}
	if errors.As(err, &refusal) {
		return nil, refusal, nil
	}
	return service, nil, err
}

func (r *Resolver) stillAllowed(ctx context.Context, tenant string, target *v1alpha1.AddressTarget) error {
	nodes, err := r.nodes(ctx)
	if err != nil {
		return err
	}
	_, err = r.address(ctx, tenant, target, nodes)
	return err
}
