//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// scrape gets a manager's metrics from the manager's node, with this token.
func scrape(t *testing.T, manager corev1.Pod, token string) (status int, text string) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (conn net.Conn, err error) {
			inside("tcpprobe-"+manager.Spec.NodeName, func() { conn, err = (&net.Dialer{}).DialContext(ctx, network, address) })
			return conn, err
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the manager's own certificate
	}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"https://"+net.JoinHostPort(manager.Status.PodIP, "8443")+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// collectorToken is the token of a service account that may read the managers' metrics, or may not.
func collectorToken(t *testing.T, s tenant, may bool) string {
	t.Helper()
	account := &corev1.ServiceAccount{}
	account.Namespace, account.Name = s.namespace, fmt.Sprint("collector-", may)
	create(t, account)
	if may {
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "collector-"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "tcpprobe-metrics-reader"},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: s.namespace, Name: account.Name}},
		}
		create(t, binding)
		t.Cleanup(func() { _ = cluster.client.Delete(context.Background(), binding) })
		soonMay(t, "system:serviceaccount:"+s.namespace+":"+account.Name, authorizationv1.SubjectAccessReviewSpec{
			NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"},
		})
	}
	request := &authenticationv1.TokenRequest{}
	if err := cluster.client.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

func managers(t *testing.T) []corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	labels := client.MatchingLabels{"app.kubernetes.io/name": "tcpprobe-manager"}
	if err := cluster.client.List(t.Context(), &pods, client.InNamespace(managerNamespace), labels); err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

// TestMetrics: only an account with the right to it reads the metrics, and only the leader has metrics of TCPProbes.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	p := s.probe(t)
	waitForRun(t, p, 1)
	stranger, collector := collectorToken(t, s, false), collectorToken(t, s, true)
	var leading corev1.Pod
	eventually(t, func() (missing string) { leading, missing = leader(t); return missing })
	for _, manager := range managers(t) {
		if manager.DeletionTimestamp != nil {
			continue
		}
		if status, text := scrape(t, manager, ""); status != http.StatusUnauthorized || strings.Contains(text, "tcpprobe_") {
			t.Errorf("without a token: %d", status)
		}
		status, text := scrape(t, manager, stranger)
		if status != http.StatusForbidden || strings.Contains(text, "tcpprobe_") {
			t.Errorf("without the right: %d", status)
		}
		if manager.UID == leading.UID {
			expectMetrics(t, s, manager, collector)
			continue
		}
		status, text = scrape(t, manager, collector)
		if status != http.StatusOK || !strings.Contains(text, buildInfo) || strings.Contains(text, s.namespace) {
			t.Errorf("%s, which does not lead: %d %s", manager.Name, status, text)
		}
	}
}

const buildInfo = `tcpprobe_build_info{version="`

// expectMetrics waits until the leader exports the run. Its cache may have the run's end later than this test. Runs of
// tests beside this one may be queued.
func expectMetrics(t *testing.T, s tenant, leader corev1.Pod, token string) {
	t.Helper()
	healthy := fmt.Sprintf(`tcpprobe_condition{name="web",namespace=%q,reason="AllPassed",status="True",type=%q} 1`,
		s.namespace, v1alpha1.ConditionPathHealthy)
	eventually(t, func() string {
		status, text := scrape(t, leader, token)
		for _, metric := range []string{
			healthy, buildInfo, `tcpprobe_runs_total{trigger="Spec",verdict="Pass"}`, `tcpprobe_pods{state="Running"}`,
			"\ntcpprobe_queued_runs ", "tcpprobe_run_duration_seconds_count",
		} {
			if status != http.StatusOK || !strings.Contains(text, metric) {
				return fmt.Sprintf("the leader answers %d without %s", status, metric)
			}
		}
		return ""
	})
}
