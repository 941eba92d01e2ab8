package simulation

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// selected puts those of the objects that the options select into the list.
func selected(objects []client.Object, list client.ObjectList, options []client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(options)
	var found []runtime.Object
	for _, object := range objects {
		switch {
		case o.Namespace != "" && o.Namespace != object.GetNamespace(),
			o.LabelSelector != nil && !o.LabelSelector.Matches(labels.Set(object.GetLabels())),
			o.FieldSelector != nil && !o.FieldSelector.Matches(fieldsOf(object)):
		default:
			found = append(found, copyOf(object))
		}
	}
	return meta.SetList(list, found)
}

func fieldsOf(o client.Object) fields.Set {
	if pod, ok := o.(*corev1.Pod); ok {
		return fields.Set{"status.phase": string(pod.Status.Phase)}
	}
	return nil
}

// liveReader reads from the API server.
type liveReader struct{ *manager }

func (r liveReader) Get(_ context.Context, name client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	return r.request("get "+kindOf(o)+" "+name.Name, o, func() (client.Object, error) {
		if stored := r.simulation.server.get(kindOf(o), name); stored != nil {
			return stored, nil
		}
		o.SetName(name.Name)
		return nil, notFound(o)
	})
}

func (r liveReader) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	return r.request("list "+kindOf(list), nil, func() (client.Object, error) {
		return nil, selected(r.simulation.server.list(kindOf(list)), list, options)
	})
}

// cachedClient reads from the manager's caches, and writes to the API server.
type cachedClient struct {
	client.Client
	*manager
}

func (c cachedClient) Get(_ context.Context, name client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	stored := c.cache.get(kindOf(o), name)
	if stored == nil {
		o.SetName(name.Name)
		return notFound(o)
	}
	set(o, stored)
	return nil
}

func (c cachedClient) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	return selected(c.cache.list(kindOf(list)), list, options)
}

func (c cachedClient) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	return c.request("create "+kindOf(o)+" "+o.GetName(), o, func() (client.Object, error) {
		if kindOf(o) == "Pod" && c.simulation.full() {
			return nil, apierrors.NewForbidden(resource(o), o.GetName(), errors.New("exceeded quota: probes"))
		}
		return c.simulation.server.create(o)
	})
}

func (c cachedClient) Delete(_ context.Context, o client.Object, options ...client.DeleteOption) error {
	var d client.DeleteOptions
	d.ApplyOptions(options)
	return c.request("delete "+kindOf(o)+" "+o.GetName(), nil, func() (client.Object, error) {
		if d.Preconditions == nil || d.Preconditions.UID == nil {
			return nil, c.simulation.server.remove(o, "")
		}
		return nil, c.simulation.server.remove(o, *d.Preconditions.UID)
	})
}

func (c cachedClient) Patch(_ context.Context, o client.Object, p client.Patch, _ ...client.PatchOption) error {
	data, err := p.Data(o)
	if err != nil {
		return err
	}
	return c.request("patch "+kindOf(o)+" "+o.GetName(), o, func() (client.Object, error) {
		return c.simulation.server.patch(o, p.Type(), data)
	})
}

func (c cachedClient) Status() client.SubResourceWriter { return statusWriter{manager: c.manager} }

// statusWriter writes the status of TCPProbes.
type statusWriter struct {
	client.SubResourceWriter
	*manager
}

func (w statusWriter) Update(_ context.Context, o client.Object, _ ...client.SubResourceUpdateOption) error {
	return w.request("status of "+o.GetName(), o, func() (client.Object, error) {
		probe, _ := o.(*v1alpha1.TCPProbe)
		return w.simulation.server.updateStatus(probe)
	})
}
