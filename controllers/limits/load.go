package limits

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// Load is what one probe pod sends at most: Rate packets a second to each of its targets, to all at the same time.
type Load struct {
	Rate    int
	Targets []string // a key for each address; addresses of one pod have the same key
}

// PerSecond is the number of packets a second that leave the pod's node.
func (l Load) PerSecond() int { return l.Rate * len(l.Targets) }

// String encodes the load for the pod's annotation. A running pod counts with the load in its annotation, whichever
// manager created it.
func (l Load) String() string {
	return strings.Join(append([]string{strconv.Itoa(l.Rate)}, l.Targets...), " ")
}

// annotatedLoad reads a pod's annotation. A pod without one was created by an older manager. It counts as one that
// sends nothing.
func annotatedLoad(pod *corev1.Pod) Load {
	words := strings.Fields(pod.Annotations[runplan.AnnotationLoad])
	if len(words) == 0 {
		return Load{}
	}
	perSecond, err := strconv.Atoi(words[0])
	if err != nil {
		return Load{}
	}
	return Load{Rate: perSecond, Targets: words[1:]}
}

// LoadOf is the load of the run's pod on this node.
func LoadOf(rp *runplan.RunPlan, node string) Load {
	l := Load{Rate: rp.Plan.PacketsPerSecond}
	for _, target := range rp.Plan.Sources[node] {
		l.Targets = append(l.Targets, targetKey(rp, target))
	}
	return l
}

// targetKey identifies the pod behind the target, or the address if no pod is known. It is short, because every probe
// pod carries up to 128 of them. It is a hash, because a tenant must not find a name with the key of another target:
// the tenant could use up that target's packets.
func targetKey(rp *runplan.RunPlan, target int) string {
	name := targetName(rp, target)
	if rp.Endpoints[target].Pod != "" {
		tenant, _, _ := strings.Cut(rp.Plan.Probe, "/")
		name = rp.Namespace(tenant) + "/" + name
	}
	h := sha256.Sum256([]byte(name))
	return hex.EncodeToString(h[:8])
}

// Exceeds refuses a run with a pod that alone would exceed a packet limit.
func (c Caps) Exceeds(rp *runplan.RunPlan) *target.Refusal {
	for _, node := range rp.Nodes() {
		if r := c.ExceedsOn(rp, node); r != nil {
			return r
		}
	}
	return nil
}

// ExceedsOn refuses if the run's pod on this node alone would exceed a packet limit.
func (c Caps) ExceedsOn(rp *runplan.RunPlan, node string) *target.Refusal {
	l := LoadOf(rp, node)
	if perNode := l.PerSecond(); perNode > c.nodeShare() {
		return target.Refused(v1alpha1.ReasonRateAboveCeiling,
			"packetsPerSecond %d to %d addresses is %d packets a second from each node, above a namespace's half of the "+
				"manager's ceiling of %d; %s", l.Rate, len(l.Targets), perNode, c.NodePackets,
			howToLower(c.nodeShare(), len(l.Targets), "target.service.maxEndpoints"))
	}
	times := l.times()
	for i, key := range l.Targets {
		if n := times[key]; n*l.Rate > c.targetShare() {
			return target.Refused(v1alpha1.ReasonRateAboveCeiling,
				"packetsPerSecond %d to %d addresses of target %s is %d packets a second, above a namespace's half of the "+
					"manager's ceiling of %d; %s", l.Rate, n, targetName(rp, rp.Plan.Sources[node][i]), n*l.Rate, c.TargetPackets,
				howToLower(c.targetShare(), n, "the families and ways (via) to it"))
		}
	}
	return nil
}

// howToLower says how to bring a rate to n addresses below the ceiling.
func howToLower(ceiling, n int, addresses string) string {
	switch rate := ceiling / n; {
	case n == 1:
		return fmt.Sprintf("lower packetsPerSecond to %d", rate)
	case rate < SlowestProbe:
		return "lower " + addresses
	default:
		return fmt.Sprintf("lower packetsPerSecond to %d, or %s", rate, addresses)
	}
}

// times counts how often each key is among the load's targets.
func (l Load) times() map[string]int {
	n := make(map[string]int)
	for _, key := range l.Targets {
		n[key]++
	}
	return n
}

// targetName is the name of the target in messages.
func targetName(rp *runplan.RunPlan, target int) string {
	e := rp.Endpoints[target]
	return cmp.Or(e.Pod, e.Address.String())
}
