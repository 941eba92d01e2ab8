package v1alpha1

// Conditions. All four are in every status, each with the generation it was computed for.
const (
	// ConditionAccepted: True if the spec can be carried out, False if somebody has to change something first;
	// reason and message say what. A TCPProbe that is not accepted does not run; its other conditions are then
	// Unknown with the same reason.
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

// What the reasons mean, the status that they stand with, and what to do is said in reasons.go.

// Reasons of Accepted.
const (
	ReasonAccepted             = "Accepted"
	ReasonNotSupported         = "NotSupported"
	ReasonTooLarge             = "TooLarge"
	ReasonNamespaceDenied      = "NamespaceDenied"
	ReasonInvalidSelector      = "InvalidSelector"
	ReasonRunAnnotationTooLong = "RunAnnotationTooLong"
	ReasonServiceNotFound      = "ServiceNotFound"
	ReasonExternalName         = "ExternalName"
	ReasonNoSelector           = "NoSelector"
	ReasonKubernetesService    = "KubernetesService"
	ReasonPortNotFound         = "PortNotFound"
	ReasonPortAmbiguous        = "PortAmbiguous"
	ReasonFamilyNotFound       = "FamilyNotFound"
	ReasonConsentMissing       = "ConsentMissing"
	ReasonHostNetworkDenied    = "HostNetworkDenied"
	ReasonNoClusterIP          = "NoClusterIP"
	ReasonAddressDenied        = "AddressDenied"
	ReasonAddressNotAllowed    = "AddressNotAllowed"
	ReasonRateAboveCeiling     = "RateAboveCeiling"
	ReasonEgressPolicy         = "EgressPolicy"
	ReasonLeavesConnections    = "LeavesConnections"
)

// Reasons of Complete, besides those of a source without a report.
const (
	ReasonCompleted = "Completed"
	ReasonPartly    = "Partly"
	ReasonNoReports = "NoReports"
	ReasonQueued    = "Queued"
	ReasonRunning   = "Running"
	ReasonSuspended = "Suspended"
)

// Reasons of Covered, besides those of a source without a report.
const (
	ReasonAllCovered        = "AllCovered"
	ReasonNoSources         = "NoSources"
	ReasonNoEndpoints       = "NoEndpoints"
	ReasonEndpointsRefused  = "EndpointsRefused"
	ReasonInconclusivePairs = "InconclusivePairs"
	ReasonSourcesMissing    = "SourcesMissing"
	ReasonNotRun            = "NotRun"
)

// Reasons of PathHealthy. False, and Unknown after a run, otherwise have the reason of the worst finding.
const (
	ReasonAllPassed        = "AllPassed"
	ReasonSameNodeOnly     = "SameNodeOnly"
	ReasonRecentFailure    = "RecentFailure"
	ReasonFailedMissing    = "FailedMissing"
	ReasonBelowRaiseAfter  = "BelowRaiseAfter"
	ReasonEarlierRunPassed = "EarlierRunPassed"
	ReasonCoverageLost     = "CoverageLost"
)

// Reasons of a source that gave no report. Findings, Complete (at once, while the run goes on) and Covered have
// them; package report has those that the prober gives itself.
const (
	ReasonUnschedulable = "Unschedulable"
	ReasonImagePull     = "ImagePull"
	ReasonPodRefused    = "PodRefused"
	ReasonServerError   = "ServerError"
	ReasonQuota         = "Quota"
	ReasonNotCreated    = "NotCreated"
	ReasonNodeRejected  = "NodeRejected"
	ReasonNodeGone      = "NodeGone"
	ReasonNodeNotReady  = "NodeNotReady"
	ReasonStartTimeout  = "StartTimeout"
	ReasonEvicted       = "Evicted"
	ReasonOutOfMemory   = "OutOfMemory"
	ReasonPodDeleted    = "PodDeleted"
	ReasonReportMissing = "ReportMissing"
	ReasonReportInvalid = "ReportInvalid"
)

// Reasons of a result in doubt: a report has no room for its reason, or what it says may have another cause than the
// path. TargetChanged is also that of a source that did not probe, or was ended, because the target changed before its
// turn came or while it probed.
const (
	ReasonReportTooLong     = "ReportTooLong"
	ReasonTargetChanged     = "TargetChanged"
	ReasonPolicyMayApply    = "PolicyMayApply"
	ReasonTranslationUnseen = "TranslationUnseen"
)
