// Package v1alpha1 is the resource that users write: a TCPProbe says what to probe, from where, with
// which scenarios and how often; its status says which path drops what.
//
// +kubebuilder:object:generate=true
// +groupName=tcpprobe.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is tcpprobe.dev/v1alpha1.
	GroupVersion = schema.GroupVersion{Group: "tcpprobe.dev", Version: "v1alpha1"}

	schemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme registers the types of this package.
	AddToScheme = schemeBuilder.AddToScheme
)

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &TCPProbe{}, &TCPProbeList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
