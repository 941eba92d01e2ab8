//go:build e2e

package e2e

import (
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestUsers: whoever may view, edit or administer a namespace reads its TCPProbes, by the roles that Kubernetes puts together; only
// whom an administrator has made an editor of TCPProbes writes them, and nobody their status.
func TestUsers(t *testing.T) {
	s := openShop(t)
	for role, writes := range map[string]bool{"view": false, "edit": false, "admin": false, "tcpprobe-editor": true} {
		t.Run(role, func(t *testing.T) {
			create(t, &rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: role},
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
				Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: role + "-of-" + s.namespace}},
			})
			eventually(t, func() string {
				if !s.may(t, role, "list", "") {
					return role + " may not list TCPProbes"
				}
				return ""
			})
			if may := s.may(t, role, "create", ""); may != writes {
				t.Errorf("may create TCPProbes: %t", may)
			}
			if s.may(t, role, "update", "status") {
				t.Error("may write what the manager says")
			}
		})
	}
}

// may asks the API server what the user with this role may do with TCPProbes.
func (s shop) may(t *testing.T, role, verb, subresource string) bool {
	t.Helper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: role + "-of-" + s.namespace,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: s.namespace, Verb: verb, Group: "tcpprobe.dev", Resource: "tcpprobes", Subresource: subresource,
		},
	}}
	create(t, review)
	return review.Status.Allowed
}
