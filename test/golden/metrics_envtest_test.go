//go:build envtest

package golden

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// freeAddress is an address that no server listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// metricsToken is a token of an account that may read metrics.
func (c *cluster) metricsToken(t *testing.T) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "golden"}}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "golden"}, Rules: []rbacv1.PolicyRule{
		{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}},
	}}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "golden"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "golden"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "default", Name: "golden"}},
	}
	token := &authenticationv1.TokenRequest{}
	for _, err := range []error{
		c.api.Create(t.Context(), account), c.api.Create(t.Context(), role), c.api.Create(t.Context(), binding),
		c.api.SubResource("token").Create(t.Context(), account, token),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return token.Status.Token
}

// value matches the value of a metric, after its name and labels.
var value = regexp.MustCompile(` [^ ]+$`)

// compareMetrics records the manager's own metrics: names, help and labels.
func (c *cluster) compareMetrics(t *testing.T, address string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.metricsToken(t))
	web := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	answer, err := web.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v: %s", answer.Status, err, text)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !strings.Contains(line, "tcpprobe_") {
			continue
		}
		if !strings.HasPrefix(line, "#") {
			line = apply(versionRules, value.ReplaceAllString(line, ""))
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	compare(t, "metrics.txt", strings.Join(lines, "\n")+"\n")
}

var versionRules = []rule{{regexp.MustCompile(`version="[^"]*"`), `version="VERSION"`}}
