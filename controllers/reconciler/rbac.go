package reconciler

// The manager's rights. It reads objects of tenants by name or in one namespace, never by a watch. It creates and
// deletes nothing outside the probe namespace. It lists Services to spare a pod of each from AcceptQueue, and to find
// ClusterIPs where the cluster keeps no record of them. It reads the metadata of Namespaces, for the annotation. It
// lists pods of its own namespace, because target.address must not be one of them. To get probe pods it needs no right
// besides that to get any pod. It patches pods to remove the scheduling gate, and configmaps to record the pods. It
// creates reviews to find out who may read its metrics.
//
// +kubebuilder:rbac:groups=tcpprobe.dev,resources=tcpprobes,verbs=get;list;watch
// +kubebuilder:rbac:groups=tcpprobe.dev,resources=tcpprobes/status,verbs=update
// +kubebuilder:rbac:groups="",resources=nodes,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=pods;namespaces,verbs=get
// +kubebuilder:rbac:groups="",resources=services,verbs=get;list
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=list
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=list
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ipaddresses,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create
// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create
//
// +kubebuilder:rbac:groups="",namespace=tcpprobe-probes,resources=pods,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",namespace=tcpprobe-probes,resources=configmaps,verbs=get;list;watch;create;patch;delete
//
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=tcpprobe-system,resources=leases,verbs=get;create;update
// +kubebuilder:rbac:groups="",namespace=tcpprobe-system,resources=events,verbs=create
// +kubebuilder:rbac:groups="",namespace=tcpprobe-system,resources=pods,verbs=list
