//go:build envtest

package apiread_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// apiServer is as much of an API server as the manager needs to plan runs and to create their pods. It makes its
// answers an object at a time, so that they may have any size.
type apiServer struct {
	*testing.T
	cached map[string]collection               // what the manager lists and watches, by path
	lists  map[string]func(int) runtime.Object // other lists with this limit, by path
	got    map[string][]byte                   // other objects, as protobuf, by path

	mu      sync.Mutex
	changed *sync.Cond
	created map[string][]byte // as JSON, by path
	status  map[string]v1alpha1.TCPProbeStatus
	version int
}

// collection are the objects of one kind, as JSON.
type collection struct {
	apiVersion, kind string
	number           int
	object           func(i int) any
}

func newAPIServer(t *testing.T) *apiServer {
	s := &apiServer{T: t, cached: make(map[string]collection), lists: make(map[string]func(int) runtime.Object),
		got: make(map[string][]byte), created: make(map[string][]byte),
		status: make(map[string]v1alpha1.TCPProbeStatus), version: 5000}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// resources are those that the manager uses, by group and version.
var resources = map[string]map[string]string{
	"v1": {"pods": "Pod", "configmaps": "ConfigMap", "services": "Service", "nodes": "Node", "namespaces": "Namespace"},

	"tcpprobe.dev/v1alpha1": {"tcpprobes": "TCPProbe", "tcpprobes/status": "TCPProbe"},
	"discovery.k8s.io/v1":   {"endpointslices": "EndpointSlice"},
	"networking.k8s.io/v1":  {"networkpolicies": "NetworkPolicy"},
	"events.k8s.io/v1":      {"events": "Event"},
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	cached, isCached := s.cached[path]
	switch {
	case path == "/api":
		writeJSON(w, http.StatusOK, map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
	case path == "/apis":
		writeJSON(w, http.StatusOK, groupList())
	case resources[strings.TrimPrefix(path, "/apis/")] != nil || path == "/api/v1":
		writeJSON(w, http.StatusOK, resourceList(strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/")))
	case isCached && r.Method == http.MethodGet:
		cached.serve(w, r)
	case r.Method == http.MethodPost, r.Method == http.MethodPatch, r.Method == http.MethodPut:
		s.write(w, r)
	default:
		s.read(w, r)
	}
}

func groupList() map[string]any {
	var groups []any
	for _, version := range slices.Sorted(maps.Keys(resources)) {
		if name, v, ok := strings.Cut(version, "/"); ok {
			one := map[string]string{"groupVersion": version, "version": v}
			groups = append(groups, map[string]any{"name": name, "versions": []any{one}, "preferredVersion": one})
		}
	}
	return map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
}

func resourceList(version string) map[string]any {
	var list []any
	for name, kind := range resources[version] {
		list = append(list, map[string]any{"name": name, "kind": kind,
			"namespaced": kind != "Node" && kind != "Namespace"})
	}
	return map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": list}
}

// serve lists the collection in pages, or watches it, beginning with all objects if that is asked.
func (c collection) serve(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	w.Header().Set("Content-Type", "application/json")
	if query.Get("watch") == "" {
		c.page(w, query.Get("limit"), query.Get("continue"))
		return
	}
	out := json.NewEncoder(w)
	if query.Get("sendInitialEvents") == "true" {
		for i := range c.number {
			_ = out.Encode(map[string]any{"type": "ADDED", "object": c.object(i)})
		}
		_ = out.Encode(map[string]any{"type": "BOOKMARK", "object": map[string]any{"kind": c.kind,
			"apiVersion": c.apiVersion, "metadata": map[string]any{"resourceVersion": "5000",
				"annotations": map[string]string{"k8s.io/initial-events-end": "true"}}}})
	}
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func (c collection) page(w io.Writer, limit, token string) {
	first, _ := strconv.Atoi(token)
	end := c.number
	if n, _ := strconv.Atoi(limit); n > 0 {
		end = min(end, first+n)
	}
	next := ""
	if end < c.number {
		next = strconv.Itoa(end)
	}
	fmt.Fprintf(w, `{"kind":"%sList","apiVersion":%q,"metadata":{"resourceVersion":"5000","continue":%q},"items":[`,
		c.kind, c.apiVersion, next)
	for i := first; i < end; i++ {
		if i > first {
			fmt.Fprint(w, ",")
		}
		text, _ := json.Marshal(c.object(i))
		_, _ = w.Write(text)
	}
	fmt.Fprint(w, "]}")
}

// write keeps what the manager creates, and the status of TCPProbes.
func (s *apiServer) write(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.Broadcast()
	s.version++
	if r.Method == http.MethodPatch { // the manager goes on from what it has sent
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(s.created[r.URL.Path])
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	o := decode(body)
	meta := o["metadata"].(map[string]any)
	meta["resourceVersion"] = strconv.Itoa(s.version)
	path := r.URL.Path
	if r.Method == http.MethodPost {
		meta["uid"] = fmt.Sprint("uid-", s.version)
		path += fmt.Sprint("/", meta["name"])
		s.created[path], _ = json.Marshal(o)
	} else {
		var probe v1alpha1.TCPProbe
		text, _ := json.Marshal(o)
		if err := json.Unmarshal(text, &probe); err != nil {
			s.Error(err)
		}
		s.status[probe.Namespace+"/"+probe.Name] = probe.Status
	}
	writeJSON(w, http.StatusCreated, o)
}

// decode reads JSON or protobuf into the form of JSON.
func decode(body []byte) map[string]any {
	if !bytes.HasPrefix(body, []byte("{")) {
		if o, _, err := clientgoscheme.Codecs.UniversalDeserializer().Decode(body, nil, nil); err == nil {
			body, _ = json.Marshal(o)
		}
	}
	o := make(map[string]any)
	if err := json.Unmarshal(body, &o); err != nil || o["metadata"] == nil {
		o["metadata"] = make(map[string]any)
	}
	return o
}

func (s *apiServer) read(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	created, body := s.created[r.URL.Path], s.got[r.URL.Path]
	s.mu.Unlock()
	list := s.lists[r.URL.Path]
	switch {
	case created != nil:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(created)
	case list != nil:
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		binary(w, protobufOf(list(limit)))
	case body != nil:
		binary(w, body)
	case strings.HasSuffix(r.URL.Path, "/pods"): // those of the probe namespace, before one is created
		writeJSON(w, http.StatusOK, map[string]any{"kind": "PodList", "apiVersion": "v1", "items": []any{}})
	default:
		writeJSON(w, http.StatusNotFound, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure",
			"reason": "NotFound", "code": http.StatusNotFound})
	}
}

func writeJSON(w http.ResponseWriter, code int, o any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(o)
}

func binary(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf")
	_, _ = w.Write(body)
}

// protobufOf encodes an object as the API server does. It has to have its kind set.
func protobufOf(o runtime.Object) []byte {
	var b bytes.Buffer
	if err := protobuf.NewSerializer(clientgoscheme.Scheme, clientgoscheme.Scheme).Encode(o, &b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// createdIn counts what was created in a path whose name starts so.
func (s *apiServer) createdIn(path string) (n int) {
	for p := range s.created {
		if strings.HasPrefix(p, path) {
			n++
		}
	}
	return n
}
