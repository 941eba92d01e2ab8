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

// right is one thing that a role allows, and that a request makes use of.
type right struct{ verb, group, resource, namespace string } // "" of a cluster role: every namespace

func (r right) String() string {
	return fmt.Sprintf("%s %s in %s", r.verb, strings.TrimSuffix(r.resource+"."+r.group, "."),
		cmp.Or(r.namespace, "the cluster"))
}

// request is what the API server's audit log says of one request of the manager.
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

// uses are the rights that the request needs. Instead of a watch that begins with all there is, an API server before
// 1.32 is asked for a list.
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

// period is one in which the manager is refused things by a test's own doing: while it is uninstalled, or while an API
// server that starts has not read the roles yet.
type period struct{ from, to time.Time }

var excused []period

func excuse() (end func()) {
	from := time.Now()
	return func() { excused = append(excused, period{from, time.Now()}) }
}

func (r *request) isExcused() bool {
	return slices.ContainsFunc(excused, func(p period) bool { return !r.At.Before(p.from) && !r.At.After(p.to) })
}

// audit checks, after all other tests, that the manager was refused nothing and has no right that it does not need.
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
			err = errors.Join(err, fmt.Errorf("the manager has a right that no test has it use: %s", r))
		}
	}
	if err == nil {
		fmt.Fprintf(os.Stderr, "e2e: the manager was refused nothing, and used all of its %d rights\n", len(shipped))
	}
	return err
}

// usedRights reads the audit log. A request without the right to it is an error; a quota's 403 is not.
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
		if r.Notes.Decision != "allow" && r.isExcused() {
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

// shippedRights are all that the roles in this file allow.
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

// everything reports whether all tests were run.
func everything() bool {
	return flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
}
