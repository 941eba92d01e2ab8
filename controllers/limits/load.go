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

// Load is what one probe pod sends at most: so many packets a second to each of its targets, all at the same time.
type Load struct {
	Rate    int
	Targets []string // a key for each; that of a pod for each of its addresses
}

// PerSecond is what leaves the pod's node.
func (l Load) PerSecond() int { return l.Rate * len(l.Targets) }

// String is the load as a pod's annotation: what runs is counted by what it carries, whichever manager made it.
func (l Load) String() string {
	return strings.Join(append([]string{strconv.Itoa(l.Rate)}, l.Targets...), " ")
}

// annotatedLoad reads a pod's annotation. A pod without one is of an older manager, and counts as one that sends
// nothing.
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

// LoadOf is that of the run's pod on this node.
func LoadOf(f *runplan.RunPlan, node string) Load {
	l := Load{Rate: f.Plan.PacketsPerSecond}
	for _, target := range f.Plan.Sources[node] {
		l.Targets = append(l.Targets, targetKey(f, target))
	}
	return l
}

// targetKey stands for the pod behind the target, or for the address if none is known. It is short, because every probe
// pod carries up to 128, and no name can be found that has another's: whoever could, would take its packets.
func targetKey(f *runplan.RunPlan, target int) string {
	name := targetName(f, target)
	if f.Endpoints[target].Pod != "" {
		tenant, _, _ := strings.Cut(f.Plan.Probe, "/")
		name = f.Namespace(tenant) + "/" + name
	}
	h := sha256.Sum256([]byte(name))
	return hex.EncodeToString(h[:8])
}

// Exceeds reports a run with a pod that no budget has room for, not even an empty one.
func (c Caps) Exceeds(f *runplan.RunPlan) *target.Refusal {
	for _, node := range f.Nodes() {
		if r := c.ExceedsOn(f, node); r != nil {
			return r
		}
	}
	return nil
}

// ExceedsOn reports that the run's pod on this node is one.
func (c Caps) ExceedsOn(f *runplan.RunPlan, node string) *target.Refusal {
	l := LoadOf(f, node)
	if perNode := l.PerSecond(); perNode > c.NodePackets {
		return target.Refused(v1alpha1.ReasonRateAboveCeiling,
			"packetsPerSecond %d to %d addresses is %d packets a second from each node, above the manager's ceiling of %d; %s",
			l.Rate, len(l.Targets), perNode, c.NodePackets, lower(c.NodePackets, len(l.Targets), "target.service.maxEndpoints"))
	}
	times := l.times()
	for i, key := range l.Targets {
		if n := times[key]; n*l.Rate > c.TargetPackets {
			return target.Refused(v1alpha1.ReasonRateAboveCeiling,
				"packetsPerSecond %d to %d addresses of target %s is %d packets a second, above the manager's ceiling of %d; %s",
				l.Rate, n, targetName(f, f.Plan.Sources[node][i]), n*l.Rate, c.TargetPackets,
				lower(c.TargetPackets, n, "the families and ways (via) to it"))
		}
	}
	return nil
}

// lower is what to do about a rate to n addresses that is above the ceiling.
func lower(ceiling, n int, addresses string) string {
	switch rate := ceiling / n; {
	case n == 1:
		return fmt.Sprintf("lower packetsPerSecond to %d", rate)
	case rate < SlowestProbe:
		return "lower " + addresses
	default:
		return fmt.Sprintf("lower packetsPerSecond to %d, or %s", rate, addresses)
	}
}

// times counts how often each target is among the load's.
func (l Load) times() map[string]int {
	n := make(map[string]int)
	for _, key := range l.Targets {
		n[key]++
	}
	return n
}

// targetName is the target for people.
func targetName(f *runplan.RunPlan, target int) string {
	e := f.Endpoints[target]
	return cmp.Or(e.Pod, e.Address.String())
}
