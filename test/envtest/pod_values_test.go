//go:build envtest

package envtest

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// valid has values that the API server takes where a string may not be any. So the policy is asked, and not only its
// validation. The first value is used that the field does not have.
var valid = map[reflect.Type][]any{
	reflect.TypeFor[corev1.DNSPolicy]():                     {corev1.DNSClusterFirst},
	reflect.TypeFor[corev1.RestartPolicy]():                 {corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure},
	reflect.TypeFor[corev1.PullPolicy]():                    {corev1.PullAlways},
	reflect.TypeFor[corev1.PreemptionPolicy]():              {corev1.PreemptLowerPriority},
	reflect.TypeFor[corev1.TerminationMessagePolicy]():      {corev1.TerminationMessageFallbackToLogsOnError},
	reflect.TypeFor[corev1.Capability]():                    {corev1.Capability("SYS_ADMIN")},
	reflect.TypeFor[corev1.SeccompProfileType]():            {corev1.SeccompProfileTypeUnconfined},
	reflect.TypeFor[corev1.AppArmorProfileType]():           {corev1.AppArmorProfileTypeUnconfined},
	reflect.TypeFor[corev1.ProcMountType]():                 {corev1.UnmaskedProcMount},
	reflect.TypeFor[corev1.PodFSGroupChangePolicy]():        {corev1.FSGroupChangeAlways},
	reflect.TypeFor[corev1.SupplementalGroupsPolicy]():      {corev1.SupplementalGroupsPolicyStrict},
	reflect.TypeFor[corev1.PodSELinuxChangePolicy]():        {corev1.SELinuxChangePolicyMountOption},
	reflect.TypeFor[corev1.MountPropagationMode]():          {corev1.MountPropagationHostToContainer},
	reflect.TypeFor[corev1.RecursiveReadOnlyMode]():         {corev1.RecursiveReadOnlyIfPossible},
	reflect.TypeFor[corev1.ContainerRestartPolicy]():        {corev1.ContainerRestartPolicyAlways},
	reflect.TypeFor[corev1.OSName]():                        {corev1.Linux},
	reflect.TypeFor[corev1.TolerationOperator]():            {corev1.TolerationOpExists},
	reflect.TypeFor[corev1.NodeSelectorOperator]():          {corev1.NodeSelectorOpNotIn},
	reflect.TypeFor[corev1.ResourceName]():                  {corev1.ResourceCPU},
	reflect.TypeFor[corev1.HostPathType]():                  {corev1.HostPathDirectory},
	reflect.TypeFor[corev1.StorageMedium]():                 {corev1.StorageMediumMemory},
	reflect.TypeFor[resource.Quantity]():                    {resource.MustParse("7Mi")},
	reflect.TypeFor[intstr.IntOrString]():                   {intstr.FromInt32(7)},
	reflect.TypeFor[metav1.Time]():                          {},
	reflect.TypeFor[corev1.UnsatisfiableConstraintAction](): {corev1.DoNotSchedule},
}

// whole has values of structs that no single field makes valid.
var whole = map[reflect.Type][]any{
	reflect.TypeFor[corev1.Container]():          {corev1.Container{Name: "second", Image: "example.test/other:1"}},
	reflect.TypeFor[corev1.EphemeralContainer](): {corev1.EphemeralContainer{}},
	reflect.TypeFor[corev1.EnvVar]():             {corev1.EnvVar{Name: "LD_PRELOAD", Value: "/evil.so"}},
	reflect.TypeFor[corev1.EnvFromSource](): {corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: "registry"}}}},
	reflect.TypeFor[corev1.ContainerPort]():     {corev1.ContainerPort{ContainerPort: 80, Protocol: "TCP"}},
	reflect.TypeFor[corev1.HostAlias]():         {corev1.HostAlias{IP: "10.1.2.3", Hostnames: []string{"web"}}},
	reflect.TypeFor[corev1.Sysctl]():            {corev1.Sysctl{Name: "kernel.shm_rmid_forced", Value: "1"}},
	reflect.TypeFor[corev1.PodSchedulingGate](): {corev1.PodSchedulingGate{Name: "example.test/gate"}},
	reflect.TypeFor[corev1.PodReadinessGate]():  {corev1.PodReadinessGate{ConditionType: "example.test/ready"}},
	reflect.TypeFor[corev1.VolumeDevice]():      {corev1.VolumeDevice{Name: "plan", DevicePath: "/dev/x"}},
	reflect.TypeFor[corev1.VolumeMount]():       {corev1.VolumeMount{Name: "plan", MountPath: "/prober"}},
	reflect.TypeFor[corev1.Toleration](): {
		corev1.Toleration{Operator: corev1.TolerationOpExists},
		corev1.Toleration{Key: "a", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute},
		corev1.Toleration{Key: "a", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}},
	reflect.TypeFor[corev1.TopologySpreadConstraint](): {corev1.TopologySpreadConstraint{MaxSkew: 1, TopologyKey: "zone",
		WhenUnsatisfiable: corev1.DoNotSchedule}},
	reflect.TypeFor[corev1.PodAffinityTerm](): {corev1.PodAffinityTerm{TopologyKey: "zone",
		LabelSelector: &metav1.LabelSelector{}}},
	reflect.TypeFor[corev1.PreferredSchedulingTerm](): {corev1.PreferredSchedulingTerm{Weight: 1,
		Preference: corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name",
			Operator: corev1.NodeSelectorOpIn, Values: []string{"kn9"}}}}}},
	reflect.TypeFor[corev1.Probe](): {corev1.Probe{ProbeHandler: corev1.ProbeHandler{
		Exec: &corev1.ExecAction{Command: []string{"sh"}}}}},
	reflect.TypeFor[corev1.LifecycleHandler](): {corev1.LifecycleHandler{Exec: &corev1.ExecAction{
		Command: []string{"sh"}}}},
	reflect.TypeFor[corev1.PodDNSConfig]():   {corev1.PodDNSConfig{Nameservers: []string{"10.1.2.3"}}},
	reflect.TypeFor[corev1.SELinuxOptions](): {corev1.SELinuxOptions{Type: "spc_t"}},
	reflect.TypeFor[corev1.Volume](): {
		corev1.Volume{Name: "more", VolumeSource: corev1.VolumeSource{
			HostPath: &corev1.HostPathVolumeSource{Path: "/"}}},
		corev1.Volume{Name: "more", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		corev1.Volume{Name: "more", VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{SecretName: "registry"}}},
		corev1.Volume{Name: "more", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "web-question-other"}}}}},
	reflect.TypeFor[corev1.ContainerResizePolicy](): {corev1.ContainerResizePolicy{ResourceName: corev1.ResourceCPU,
		RestartPolicy: corev1.NotRequired}},
	reflect.TypeFor[corev1.PodResourceClaim](): {corev1.PodResourceClaim{Name: "gpu", ResourceClaimName: new("gpu")}},
}
