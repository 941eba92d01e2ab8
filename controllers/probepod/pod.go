package probepod

import (
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// gate keeps a pod from being scheduled until its UID is on record. See package reconciler.
const gate = "tcpprobe.dev/recorded"

// Deadlines and names of every probe pod.
const (
	StartDeadline = time.Minute      // from a pod's release to its start
	grace         = 10 * time.Second // for the prober to end its flows in order
	proberSlack   = 15 * time.Second // beyond the plan's deadline, to start, end flows and write the report
	ContainerName = "prober"
	planFolder    = "/etc/tcpprobe"
)

// podLifetime is the pod's activeDeadlineSeconds. The kubelet counts from when it accepted the pod, so pulling the
// image counts too.
func podLifetime(rp *runplan.RunPlan) time.Duration {
	return StartDeadline + time.Duration(rp.Plan.DeadlineSeconds)*time.Second + proberSlack
}

// New is pod number i of the run, for this node, with its scheduling gate.
func New(configMap *corev1.ConfigMap, rp *runplan.RunPlan, i int, node string, s Settings) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: runplan.PodName(configMap.Name, i), Namespace: configMap.Namespace,
			Labels:      podLabels(configMap),
			Annotations: podAnnotations(node, limits.LoadOf(rp, node)),
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "v1", Kind: "ConfigMap", Name: configMap.Name, UID: configMap.UID, Controller: new(true),
			}},
		},
		Spec: corev1.PodSpec{
			SchedulingGates:               []corev1.PodSchedulingGate{{Name: gate}},
			Affinity:                      onlyOn(node),
			Tolerations:                   s.Tolerations,
			PriorityClassName:             s.PriorityClass,
			ServiceAccountName:            s.ServiceAccount,
			AutomountServiceAccountToken:  new(false),
			EnableServiceLinks:            new(false),
			HostNetwork:                   rp.Network == v1alpha1.NetworkHost,
			DNSPolicy:                     corev1.DNSDefault, // the prober resolves no names
			RestartPolicy:                 corev1.RestartPolicyNever,
			ActiveDeadlineSeconds:         new(int64(podLifetime(rp).Seconds())),
			TerminationGracePeriodSeconds: new(int64(grace.Seconds())),
			SecurityContext: &corev1.PodSecurityContext{
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{proberContainer(node, s)},
			Volumes:    []corev1.Volume{planVolume(configMap.Name)},
		},
	}
}

func proberContainer(node string, s Settings) corev1.Container {
	return corev1.Container{
		Name: ContainerName, Image: s.Image, ImagePullPolicy: s.PullPolicy,
		Command:                  []string{"/prober"},
		Args:                     []string{"--plan=" + planFolder + "/" + runplan.KeyPlan, "--source=" + node},
		VolumeMounts:             []corev1.VolumeMount{{Name: "plan", MountPath: planFolder, ReadOnly: true}},
		TerminationMessagePath:   corev1.TerminationMessagePathDefault,
		TerminationMessagePolicy: corev1.TerminationMessageReadFile, // not FallbackToLogsOnError: a log line is no report
		SecurityContext:          securityContext(s.Privileged),
		Resources: corev1.ResourceRequirements{ // no CPU limit: a throttled prober's samples are void
			Requests: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("32Mi"),
			},
			Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("128Mi")},
		},
	}
}

func securityContext(privileged bool) *corev1.SecurityContext {
	c := &corev1.SecurityContext{
		// capabilities reach a process of another user only as ambient ones, which Kubernetes cannot give
		RunAsUser:                new(int64(0)),
		AllowPrivilegeEscalation: new(false),
		ReadOnlyRootFilesystem:   new(true),
		Capabilities: &corev1.Capabilities{
			Drop: []corev1.Capability{"ALL"},
			Add:  []corev1.Capability{"NET_RAW", "NET_ADMIN", "BPF"},
		},
	}
	if privileged {
		c.Privileged, c.AllowPrivilegeEscalation = new(true), nil // the API server takes only one of the two
	}
	return c
}

// onlyOn gives the scheduler one node to choose from. A pod with spec.nodeName would bypass taints, resources and
// priorities.
func onlyOn(node string) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchFields: []corev1.NodeSelectorRequirement{{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn,
				Values: []string{node}}},
		}}},
	}}
}

func planVolume(configMap string) corev1.Volume {
	return corev1.Volume{Name: "plan", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: configMap},
		Items:                []corev1.KeyToPath{{Key: runplan.KeyPlan, Path: runplan.KeyPlan}},
		DefaultMode:          new(int32(0o444)),
	}}}
}

// meshLabels and meshAnnotations keep service meshes from injecting a sidecar. It would terminate the crafted
// connections itself, and keep the pod from ending.
var (
	meshLabels = map[string]string{
		"sidecar.istio.io/inject":   "false",
		"istio.io/dataplane-mode":   "none",
		"kuma.io/sidecar-injection": "disabled",
		"linkerd.io/inject":         "disabled",
	}
	meshAnnotations = map[string]string{
		"sidecar.istio.io/inject":                        "false",
		"linkerd.io/inject":                              "disabled",
		"kuma.io/sidecar-injection":                      "disabled",
		"consul.hashicorp.com/connect-inject":            "false",
		"openservicemesh.io/sidecar-injection":           "disabled",
		"cluster-autoscaler.kubernetes.io/safe-to-evict": "true", // a probe pod must not hold back the removal of a node
	}
)

func podLabels(configMap *corev1.ConfigMap) map[string]string {
	labels := maps.Clone(meshLabels)
	maps.Copy(labels, configMap.Labels)
	return labels
}

func podAnnotations(node string, l limits.Load) map[string]string {
	annotations := maps.Clone(meshAnnotations)
	annotations[runplan.AnnotationLoad] = l.String()
	annotations[runplan.AnnotationSource] = node
	return annotations
}

// Gated reports whether the pod still has the operator's own scheduling gate.
func Gated(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.SchedulingGates, func(g corev1.PodSchedulingGate) bool { return g.Name == gate })
}

// ReleasePatch is a strategic merge patch that removes the operator's own gate. A gate of somebody else stays: its
// owner removes it. The UID makes sure that it is this pod.
func ReleasePatch(uid types.UID) []byte {
	return fmt.Appendf(nil, `{"metadata":{"uid":%q},"spec":{"schedulingGates":[{"$patch":"delete","name":%q}]}}`,
		uid, gate)
}
