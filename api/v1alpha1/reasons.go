package v1alpha1

import "slices"

// Explanation says what a reason that the operator gives means, and what to do. Package reason of the probes has those
// that the prober gives.
// +kubebuilder:object:generate=false
type Explanation struct {
	Reason  string
	Subject string // a condition, SubjectSource or SubjectResult
	Status  string // of the condition
	Means   string
	Do      string // empty: nothing has to be done
}

// Subjects of the reasons that findings have. Conditions repeat them.
const (
	SubjectSource = "a source without a report"
	SubjectResult = "a result in doubt"
)

// Explanations returns one entry a reason and subject, in the order in which they are documented.
func Explanations() []Explanation {
	return slices.Concat(ofAccepted, ofComplete, ofCovered, ofPathHealthy, ofSources, ofResults)
}

var ofAccepted = []Explanation{
	{ReasonAccepted, ConditionAccepted, "True",
		"the spec can be carried out",
		""},
	{ReasonNotSupported, ConditionAccepted, "False",
		"this version cannot do it",
		"as the message says"},
	{ReasonTooLarge, ConditionAccepted, "False",
		"`sources.selector`, the Service or its EndpointSlices are larger than what the manager reads, which is many " +
			"times what Kubernetes itself writes",
		"as the message says"},
	{ReasonNamespaceDenied, ConditionAccepted, "False",
		"the TCPProbe or the Service is in a namespace of the operator",
		"create it beside the Service; what runs in these two is never probed"},
	{ReasonInvalidSelector, ConditionAccepted, "False",
		"`sources.selector` is no label selector",
		"correct it"},
	{ReasonRunAnnotationTooLong, ConditionAccepted, "False",
		"the annotation `tcpprobe.dev/run` has more than 63 bytes",
		"a shorter value"},
	{ReasonServiceNotFound, ConditionAccepted, "False",
		"no such Service in the TCPProbe's own namespace",
		"create it, or correct the name"},
	{ReasonExternalName, ConditionAccepted, "False",
		"the Service is of type ExternalName, which leads out of the cluster",
		"name a Service with a selector"},
	{ReasonNoSelector, ConditionAccepted, "False",
		"the Service has no selector, and so proves nothing about its endpoints",
		"name a Service with a selector"},
	{ReasonKubernetesService, ConditionAccepted, "False",
		"the Service is default/kubernetes, the API server",
		"name a Service with a selector"},
	{ReasonPortNotFound, ConditionAccepted, "False",
		"`target.service.port` is none of the Service's TCP ports, or it has none",
		"correct it"},
	{ReasonPortAmbiguous, ConditionAccepted, "False",
		"`target.service.port` is missing, and the Service has not exactly one TCP port",
		"set it"},
	{ReasonFamilyNotFound, ConditionAccepted, "False",
		"the Service does not have that family",
		"correct `target.service.families`"},
	{ReasonHostNetworkDenied, ConditionAccepted, "False",
		"`sources.network: Host`, and the administrator has not enabled it",
		"`network: Pod`; the administrator can start the manager with `--host-network` and set `hostNetwork: \"true\"` " +
			"in the ConfigMap `tcpprobe-system/probe-pods`"},
	{ReasonNoClusterIP, ConditionAccepted, "False",
		"`via` has ClusterIP, and the Service is headless or has `internalTrafficPolicy: Local`, so that no segment " +
			"would cross the network",
		"`via: [PodIP]`"},
	{ReasonConsentMissing, ConditionAccepted, "False",
		"an owner's consent is missing. Of `target.service.namespace`: that namespace has no such Service whose " +
			"annotation `tcpprobe.dev/allow-from` names the TCPProbe's. Of AcceptQueue: the Service's annotation " +
			"`tcpprobe.dev/allow-accept-queue` does not allow it, or not with one ready pod",
		"the Service's owner sets the annotation, see [security.md](security.md#who-may-make-it-send); of " +
			"AcceptQueue see [security.md](security.md#acceptqueue-needs-the-target-owners-consent)"},
	{ReasonAddressNotAllowed, ConditionAccepted, "False",
		"`target.address` is in none of the ranges that the administrator allows: the manager's `--address-ceiling`, " +
			"and the annotation `tcpprobe.dev/allowed-cidrs` of the Namespace",
		"ask the administrator"},
	{ReasonAddressDenied, ConditionAccepted, "False",
		"`target.address` is loopback, link-local, multicast, broadcast or metadata, or part of the cluster: API " +
			"server, node, a node's pod range, a ClusterIP, the operator. Nobody can allow it",
		"probe pods as `target.service`"},
	{ReasonRateAboveCeiling, ConditionAccepted, "False",
		"`packetsPerSecond` times the addresses that one node would probe is more than a namespace's half of what all " +
			"probes together may send from a node (30,000 a second) or to one target (10,000)",
		"lower `packetsPerSecond` or `maxEndpoints`; the administrator can start the manager with other " +
			"`--max-packets-per-node` and `--max-packets-per-target`"},
	{ReasonEgressPolicy, ConditionAccepted, "False",
		"the Service is of another namespace, and a NetworkPolicy restricts egress of the TCPProbe's own, past which " +
			"probe pods would lead",
		"create the TCPProbe in the Service's namespace; the administrator can start the manager with " +
			"`--past-egress-policies`"},
	{ReasonLeavesConnections, ConditionAccepted, "False",
		"its recurring runs have left 100 connections or more at their targets, and no run starts: something drops the " +
			"RSTs, and the application does not close when it gets a FIN",
		"let RSTs in, or have the application close; then a new value of the annotation `tcpprobe.dev/run`, or another " +
			"spec, starts the count anew"},
}

var ofComplete = []Explanation{
	{ReasonCompleted, ConditionComplete, "True",
		"every source reported",
		""},
	{ReasonPartly, ConditionComplete, "True",
		"it ended, but not every source reported",
		"the findings say why, with a reason of a source without a report"},
	{ReasonNoReports, ConditionComplete, "True",
		"it ended, and no source reported",
		"the findings say why, with a reason of a source without a report"},
	{ReasonRunning, ConditionComplete, "False",
		"it runs; the message counts the reports",
		""},
	{ReasonQueued, ConditionComplete, "False",
		"it waits for other probe pods (200 in all, 50 of a TCPProbe, 5 on a node), for what these send (30,000 packets " +
			"a second from a node, 10,000 to a target; a namespace has half of each at most), or for another TCPProbe that " +
			"fills the same queues. The message has its place",
		"wait"},
	{ReasonSuspended, ConditionComplete, "False",
		"`spec.state` holds back the run that is due",
		"`state: Active`"},
}

var ofCovered = []Explanation{
	{ReasonAllCovered, ConditionCovered, "True",
		"yes",
		""},
	{ReasonNoSources, ConditionCovered, "False",
		"no node can probe. None matches `sources.selector`, or those that do are not Ready, not linux on amd64 or " +
			"arm64, or tainted",
		"change the selector, or `--prober-tolerations` of the manager"},
	{ReasonNoEndpoints, ConditionCovered, "False",
		"the Service has no ready pod",
		"look at its pods"},
	{ReasonEndpointsRefused, ConditionCovered, "False",
		"addresses behind the Service that must not be probed, such as a pod on the host network or one that does not " +
			"match the selector; or a ClusterIP with any such address in any slice of the Service",
		"the message names each with why. What may be probed is probed"},
	{ReasonInconclusivePairs, ConditionCovered, "False",
		"some pairs established nothing",
		"see the reasons of the findings, in [scenarios.md](scenarios.md#inconclusive-in-every-scenario)"},
	{ReasonSourcesMissing, ConditionCovered, "False",
		"every pair came to Pass or Fail, but nodes that would probe cannot for now, or what had failed cannot be probed " +
			"now; `status.missing` has them, and `status.pairs.missing` counts their pairs",
		"look at the nodes and pods that the message names"},
	{ReasonNotRun, ConditionCovered, "Unknown",
		"no run of this spec has ended",
		""},
}

var ofPathHealthy = []Explanation{
	{ReasonAllPassed, ConditionPathHealthy, "True",
		"every pair across two nodes passed, and a pair within one node did not fail",
		""},
	{ReasonSameNodeOnly, ConditionPathHealthy, "Unknown",
		"everything passed, but no segment crossed the network",
		"have an endpoint on another node"},
	{ReasonBelowRaiseAfter, ConditionPathHealthy, "True or Unknown",
		"the last run failed, but too few in a row have; Unknown where none passed before",
		"look at its findings, or wait for the next run"},
	{ReasonRecentFailure, ConditionPathHealthy, "False",
		"enough runs failed; the last one did not, but none has cleared it yet",
		"wait for `health.clearAfterSeconds`"},
	{ReasonFailedMissing, ConditionPathHealthy, "False",
		"the last run did not fail, but what had failed was not in it: its node cannot probe, or its pod is not Ready",
		"look at the nodes and pods that the message names; one that is deleted is not waited for"},
	{ReasonEarlierRunPassed, ConditionPathHealthy, "True",
		"the last run came to no verdict, and none has failed since one passed",
		"the reasons of the findings say why it came to none"},
	{ReasonCoverageLost, ConditionPathHealthy, "Unknown",
		"in each of the last three runs more than a tenth of the pairs came to no verdict or were missing",
		"the reasons of the findings say why"},
}

var ofSources = []Explanation{
	{ReasonUnschedulable, SubjectSource, "",
		"no room on the node; a probe asks for 10m and 32Mi and preempts nothing",
		"make room"},
	{ReasonImagePull, SubjectSource, "",
		"the node cannot pull the prober's image, which is the manager's",
		"[name the image](../README.md#on-your-own-cluster) that your nodes find; pull secrets"},
	{ReasonPodRefused, SubjectSource, "",
		"admission, Pod Security or authorisation refused the pod",
		"let pods with `NET_RAW`, `NET_ADMIN`, `BPF` into `tcpprobe-probes`"},
	{ReasonQuota, SubjectSource, "",
		"a ResourceQuota of `tcpprobe-probes` is used up",
		"raise it"},
	{ReasonServerError, SubjectSource, "",
		"the API server, or a webhook that it asks, fails",
		"it is tried again; look at the webhook"},
	{ReasonNotCreated, SubjectSource, "",
		"the kubelet could not make or start the container",
		"`kubectl describe` of the pod; the kubelet's log"},
	{ReasonNodeRejected, SubjectSource, "",
		"the kubelet did not admit the pod",
		"`kubectl describe` of the pod; the kubelet's log"},
	{ReasonNodeGone, SubjectSource, "",
		"the node was deleted",
		"look at the node"},
	{ReasonNodeNotReady, SubjectSource, "",
		"the node stopped answering during the run",
		"look at the node"},
	{ReasonStartTimeout, SubjectSource, "",
		"the pod did not start within 60 s",
		"as for Unschedulable, ImagePull, NotCreated"},
	{ReasonEvicted, SubjectSource, "",
		"the node was drained, shut down or short of memory or disk, or the pod was preempted, before it began or without " +
			"time to report (one that has it says ProberKilled, told to stop)",
		"run again"},
	{ReasonPodDeleted, SubjectSource, "",
		"somebody deleted the pod, or the run's plan",
		"run again"},
	{ReasonOutOfMemory, SubjectSource, "",
		"the prober hit its memory limit of 128Mi",
		"fewer `paths` or `maxConnections`"},
	{ReasonReportMissing, SubjectSource, "",
		"the prober ended without a report",
		"look at the pod's log; it is a fault of TCPProbe's"},
	{ReasonReportInvalid, SubjectSource, "",
		"the prober's report is cut, forged or of another run",
		"look at the pod's log; it is a fault of TCPProbe's"},
}

var ofResults = []Explanation{
	{ReasonReportTooLong, SubjectResult, "",
		"the short report had no room for the reason",
		"the pod's log has the whole report"},
	{ReasonTargetChanged, SubjectResult, "",
		"the endpoint's pod was replaced, restarted or not ready meanwhile. Of a ClusterIP: anything that it leads to " +
			"was changed, even if it was changed back. If that is seen before a source has its turn, it does not probe; " +
			"if it is seen while it probes, its pod is ended. If the address may be another pod's by now, nothing that " +
			"the source saw is published",
		"run again when it is stable"},
	{ReasonTranslationUnseen, SubjectResult, "",
		"nothing answers at the ClusterIP. Crafted segments do not go through sockets, so a network plugin that " +
			"translates there leaves them as they are; or a policy keeps them out",
		"`via: [PodIP]`"},
	{ReasonPolicyMayApply, SubjectResult, "",
		"no answer, and an ingress NetworkPolicy selects the endpoint",
		"let pods of `tcpprobe-probes` in"},
}
