//go:build e2e

package e2e

import (
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestUsers: users with the roles view, edit or admin of a namespace read its TCPProbes, by aggregated roles. Only
// users with the role tcpprobe-editor write them. No user writes their status.
func TestUsers(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	for role, writes := range map[string]bool{"view": false, "edit": false, "admin": false, "tcpprobe-editor": true} {
		t.Run(role, func(t *testing.T) {
			create(t, &rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: role},
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
				Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind,
					Name: role + "-of-" + s.namespace}},
			})
			user := role + "-of-" + s.namespace
			soonMay(t, user, s.review("list", ""))
			if may := may(t, user, s.review("create", "")); may != writes {
				t.Errorf("may create TCPProbes: %t", may)
			}
			if may(t, user, s.review("update", "status")) {
				t.Error("may write the status")
			}
		})
	}
}

// review asks about a verb for the tenant's TCPProbes.
func (s tenant) review(verb, subresource string) authorizationv1.SubjectAccessReviewSpec {
	return authorizationv1.SubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
		Namespace: s.namespace, Verb: verb, Group: "tcpprobe.dev", Resource: "tcpprobes", Subresource: subresource,
	}}
}

// may asks the API server whether the user has this right.
func may(t *testing.T, user string, what authorizationv1.SubjectAccessReviewSpec) bool {
	t.Helper()
	what.User = user
	review := &authorizationv1.SubjectAccessReview{Spec: what}
	create(t, review)
	return review.Status.Allowed
}

// soonMay waits until the API server has read a binding that was just created.
func soonMay(t *testing.T, user string, what authorizationv1.SubjectAccessReviewSpec) {
	t.Helper()
	eventually(t, func() string {
		if !may(t, user, what) {
			return user + " has not got the right yet"
		}
		return ""
	})
}
