//go:build envtest

package golden

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// documentsOf reads the objects of a YAML file.
func documentsOf(text []byte) (all []*unstructured.Unstructured, err error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if len(o.Object) > 0 {
			all = append(all, o)
		}
	}
}

func (c *cluster) applyFile(path, namespace string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	objects, err := documentsOf(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, o := range objects {
		if err := c.create(o, namespace); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// clusterScoped are the kinds of the fixtures that have no namespace.
var clusterScoped = map[string]bool{
	"Namespace": true, "Node": true, "ClusterRole": true, "ClusterRoleBinding": true, "RuntimeClass": true,
}

// create creates an object with its status, in this namespace if it has none. If the object exists, it is patched.
func (c *cluster) create(o *unstructured.Unstructured, namespace string) error {
	ctx := context.Background()
	if o.GetNamespace() == "" && !clusterScoped[o.GetKind()] {
		o.SetNamespace(namespace)
	}
	if o.GetKind() == "EndpointSlice" {
		if err := c.nameUIDs(o); err != nil {
			return err
		}
	}
	status := o.Object["status"]
	there := o.DeepCopy()
	err := c.api.Get(ctx, client.ObjectKeyFromObject(o), there)
	switch {
	case apierrors.IsNotFound(err):
		err = c.api.Create(ctx, o)
	case err == nil:
		err = c.api.Patch(ctx, o, client.RawPatch(types.MergePatchType, []byte(mustJSON(o.Object))))
	}
	if err != nil {
		return err
	}
	if status == nil {
		return nil
	}
	o.Object["status"] = status
	return c.api.Status().Update(ctx, o)
}

// nameUIDs sets the UIDs of the pods that an EndpointSlice refers to, if they exist and the slice has no UID.
func (c *cluster) nameUIDs(slice *unstructured.Unstructured) error {
	endpoints, _, err := unstructured.NestedSlice(slice.Object, "endpoints")
	if err != nil {
		return err
	}
	for _, e := range endpoints {
		ref, ok := e.(map[string]any)["targetRef"].(map[string]any)
		if !ok || ref["kind"] != "Pod" || ref["uid"] != nil {
			continue
		}
		pod := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod"}}
		if ref["namespace"] == nil {
			ref["namespace"] = slice.GetNamespace()
		}
		key := client.ObjectKey{Namespace: ref["namespace"].(string), Name: ref["name"].(string)}
		if err := client.IgnoreNotFound(c.api.Get(context.Background(), key, pod)); err != nil {
			return err
		}
		ref["uid"] = string(pod.GetUID())
	}
	if slice.GetLabels()[discoveryv1.LabelServiceName] == "" {
		return fmt.Errorf("EndpointSlice %s has no Service", slice.GetName())
	}
	return unstructured.SetNestedSlice(slice.Object, endpoints, "endpoints")
}
