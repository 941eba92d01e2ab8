//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// right is one permission of a role that a request may need.
type right struct{ verb, group, resource, namespace string } // namespace "": every namespace

func (r right) String() string {
	return fmt.Sprintf("%s %s in %s", r.verb, strings.TrimSuffix(r.resource+"."+r.group, "."),
		cmp.Or(r.namespace, "the cluster"))
}

// request is an entry of the API server's audit log about a request of the manager.
type request struct {
	Verb      string
	ObjectRef struct{ APIGroup, Resource, Subresource, Namespace, Name string }
	User      struct{ Username string }
	URI       string    `json:"requestURI"`
	At        time.Time `json:"requestReceivedTimestamp"`
	Notes     struct {
		Decision string `json:"authorization.k8s.io/decision"`
	} `json:"annotations"`
}

// uses are the rights that the request needs. An API server before 1.32 is asked for a list where newer ones are asked
// for a watch that begins with all objects.
func (r *request) uses() []right {
	resource := r.ObjectRef.Resource
	if r.ObjectRef.Subresource != "" {
		resource += "/" + r.ObjectRef.Subresource
	}
	used := []right{{r.Verb, r.ObjectRef.APIGroup, resource, r.ObjectRef.Namespace}}
	if r.Verb == "watch" && strings.Contains(r.URI, "sendInitialEvents=true") {
		used = append(used, right{"list", r.ObjectRef.APIGroup, resource, r.ObjectRef.Namespace})
	}
	return used
}

// period is a time in which a test has the manager's requests refused: while it is uninstalled, or while the API
// server starts and has not read the roles yet.
type period struct{ from, to time.Time }

var refusalsExpected []period

// begun is when these tests began: what the log has from before, of a cluster that was kept, is others'.
var begun = time.Now()

func expectRefusals() (end func()) {
	from := time.Now()
	return func() { refusalsExpected = append(refusalsExpected, period{from, time.Now()}) }
}

func (r *request) isExpected() bool {
	return slices.ContainsFunc(refusalsExpected, func(p period) bool { return !r.At.Before(p.from) && !r.At.After(p.to) })
}

// audit checks, after all other tests, that no request of the manager was refused and that the manager has used all of
// its rights.
func audit() error {
	used, err := usedRights()
	if err != nil {
		return err
	}
	shipped, err := shippedRights("config/rbac/role.yaml")
	if err != nil {
		return err
	}
	for _, r := range shipped {
		if !slices.ContainsFunc(used, func(u right) bool {
			return u == r || r.namespace == "" && u.verb == r.verb && u.group == r.group && u.resource == r.resource
		}) {
			err = errors.Join(err, fmt.Errorf("the manager has a right that it uses in no test: %s", r))
		}
	}
	if err == nil {
		fmt.Fprintf(os.Stderr, "e2e: no request of the manager was refused, and it used all of its %d rights\n", len(shipped))
	}
	return err
}

// usedRights reads the audit log. A request that was not authorized is an error. A 403 because of a quota is not.
func usedRights() (used []right, err error) {
	log, err := os.ReadFile(cluster.Audit)
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(log) {
		if !bytes.HasSuffix(line, []byte{'\n'}) {
			break // it is being written
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", cluster.Audit, err)
		}
		if r.At.Before(begun) || r.Notes.Decision != "allow" && r.isExpected() {
			continue
		}
		if r.Notes.Decision != "allow" {
			return nil, fmt.Errorf("the manager was refused: %s %s: %s", r.Verb, r.URI, r.Notes.Decision)
		}
		for _, u := range r.uses() {
			if !slices.Contains(used, u) {
				used = append(used, u)
			}
		}
	}
	return used, nil
}

// shippedRights are the rights of all roles in this file.
func shippedRights(path string) (all []right, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	documents := yaml.NewYAMLOrJSONDecoder(file, 4096)
	for {
		var role rbacv1.ClusterRole // a Role has the same members
		if err := documents.Decode(&role); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, rule := range role.Rules {
			for _, verb := range rule.Verbs {
				for _, resource := range rule.Resources {
					all = append(all, right{verb, rule.APIGroups[0], resource, role.Namespace})
				}
			}
		}
	}
}

// allTestsRun reports whether no test was left out by -run or -skip.
func allTestsRun() bool {
	return flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
}
