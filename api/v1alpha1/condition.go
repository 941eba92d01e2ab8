package v1alpha1

// Conditions. All four are in every status, each with the generation it was computed for.
const (
	// ConditionAccepted: True if the spec can be carried out, False if somebody has to change something first;
	// reason and message say what. A TCPProbe that is not accepted does not run; its other conditions are then
	// Unknown and repeat the reason.
	ConditionAccepted = "Accepted"

	// ConditionComplete: True if the run that spec and RunAnnotation ask for has ended, False while it waits,
	// runs or is held up. What it found is in PathHealthy.
	ConditionComplete = "Complete"

	// ConditionCovered: True if, in the last run, every planned pair of source and endpoint came to Pass or Fail;
	// False if some did not, Unknown before the first run ended.
	ConditionCovered = "Covered"

	// ConditionPathHealthy: False if any pair failed; True if every pair whose ends are on two nodes passed; else
	// Unknown: what was not established is not a failure, and not health either.
	ConditionPathHealthy = "PathHealthy"
)

// Reasons of Accepted.
const (
	ReasonAccepted = "Accepted" // True

	ReasonNotSupported         = "NotSupported"         // this version cannot do it yet
	ReasonNamespaceDenied      = "NamespaceDenied"      // TCPProbes in the operator's own namespaces are refused
	ReasonInvalidSelector      = "InvalidSelector"      // sources.selector is not a label selector
	ReasonRunAnnotationTooLong = "RunAnnotationTooLong" // more than MaxRunAnnotation bytes
	ReasonServiceNotFound      = "ServiceNotFound"      // no such Service
	ReasonExternalName         = "ExternalName"         // a Service of type ExternalName leads out of the cluster
	ReasonNoSelector           = "NoSelector"           // the Service has no selector: its endpoints may be anybody's
	ReasonKubernetesService    = "KubernetesService"    // default/kubernetes is the API server
	ReasonPortNotFound         = "PortNotFound"         // the Service has no TCP port of this name or number
	ReasonPortAmbiguous        = "PortAmbiguous"        // spec names no port, and the Service has not exactly one
	ReasonFamilyNotFound       = "FamilyNotFound"       // the Service does not have a family that spec names
	ReasonConsentMissing       = "ConsentMissing"       // neither another namespace nor AcceptQueue is consented to
	ReasonHostNetworkDenied    = "HostNetworkDenied"    // the administrator has not enabled sources.network Host
	ReasonNoClusterIP          = "NoClusterIP"          // the Service is headless, or its ClusterIP stays on the node
	ReasonAddressDenied        = "AddressDenied"        // target.address is in a range that is never probed
	ReasonAddressNotAllowed    = "AddressNotAllowed"    // the administrator's ranges do not have target.address
	ReasonRateAboveCeiling     = "RateAboveCeiling"     // one pod would send more than the administrator allows
	ReasonEgressPolicy         = "EgressPolicy"         // a NetworkPolicy restricts egress to the other namespace
)

// Reasons of Complete, besides those of a source without a report.
const (
	ReasonCompleted = "Completed" // True: every source reported
	ReasonPartly    = "Partly"    // True: it ended, but not every source reported

	ReasonQueued    = "Queued"    // False: waits for other probe pods to end; the message has its place
	ReasonRunning   = "Running"   // False; the message has how many sources reported
	ReasonSuspended = "Suspended" // False: spec.state holds back the run that is due
)

// Reasons of Covered, besides those of a source without a report.
const (
	ReasonAllCovered        = "AllCovered"        // True
	ReasonNoSources         = "NoSources"         // False: no node that can probe
	ReasonNoEndpoints       = "NoEndpoints"       // False: the Service has no endpoints
	ReasonEndpointsRefused  = "EndpointsRefused"  // False: some endpoints must not be probed; the message names them
	ReasonInconclusivePairs = "InconclusivePairs" // False: some pairs came to no verdict
	ReasonNotRun            = "NotRun"            // Unknown: no run has ended
)

// Reasons of PathHealthy. False, and Unknown after a run, otherwise have the reason of the worst finding.
const (
	ReasonAllPassed    = "AllPassed"    // True
	ReasonSameNodeOnly = "SameNodeOnly" // Unknown: no segment crossed the network

	// Of recurring runs.
	ReasonRecentFailure    = "RecentFailure"    // False: enough runs failed, and the time to clear is not over
	ReasonBelowRaiseAfter  = "BelowRaiseAfter"  // True or Unknown: too few runs in a row failed to count
	ReasonEarlierRunPassed = "EarlierRunPassed" // True: the last run came to no verdict
	ReasonCoverageLost     = "CoverageLost"     // Unknown: in three runs over a tenth of the pairs had no verdict
)

// Reasons of a source that gave no report. Findings, Complete (at once, while the run goes on) and Covered have
// them; report.Reason has those that the prober gives itself.
const (
	ReasonUnschedulable  = "Unschedulable"  // the scheduler found no room on the node
	ReasonImagePull      = "ImagePull"      // the node could not pull the prober's image
	ReasonPodRefused     = "PodRefused"     // the API server refused the pod: admission, Pod Security, authorisation
	ReasonServerError    = "ServerError"    // the API server, or a webhook that it asks, failed to answer
	ReasonQuota          = "Quota"          // a ResourceQuota of the probe namespace is used up
	ReasonNotCreated     = "NotCreated"     // the kubelet could not make or start the container
	ReasonNodeRejected   = "NodeRejected"   // the kubelet did not admit the pod
	ReasonNodeGone       = "NodeGone"       // the node was deleted
	ReasonNodeNotReady   = "NodeNotReady"   // the node stopped answering during the run
	ReasonStartTimeout   = "StartTimeout"   // the pod did not start in time and nobody says why
	ReasonEvicted        = "Evicted"        // the pod was evicted: drained, preempted or short of memory or disk
	ReasonOutOfMemory    = "OutOfMemory"    // the prober's container hit its memory limit
	ReasonPodDeleted     = "PodDeleted"     // somebody deleted the pod
	ReasonReportMissing  = "ReportMissing"  // the prober ended without a report
	ReasonReportTooLong  = "ReportTooLong"  // the short report had no room for the reason; the probe pod's log has it
	ReasonReportInvalid  = "ReportInvalid"  // the report is cut, forged or of another run
	ReasonTargetChanged  = "TargetChanged"  // the endpoint's pod was replaced, restarted or not ready during the run
	ReasonPolicyMayApply = "PolicyMayApply" // silence, and an ingress NetworkPolicy selects the endpoint

	// ReasonTranslationUnseen: silence at a ClusterIP. Crafted segments bypass a translation that is made at sockets.
	ReasonTranslationUnseen = "TranslationUnseen"
)
