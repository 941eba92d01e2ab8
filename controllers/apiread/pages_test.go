package apiread

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pods is an API server with pods of these sizes. A page that has more than MostBytes in all is refused. Like a decoder
// may, it appends to the list that it is given.
type pods struct {
	client.Reader
	sizes  []int
	limits []int64
}

func (p *pods) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(options)
	return p.page(list.(*corev1.PodList), o.Limit, o.Continue)
}

func (p *pods) page(list *corev1.PodList, limit int64, token string) error {
	p.limits = append(p.limits, limit)
	first, _ := strconv.Atoi(token)
	end, size := min(first+int(limit), len(p.sizes)), 0
	for i := first; i < end; i++ {
		size += p.sizes[i]
		list.Items = append(list.Items, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint(i)}})
	}
	if size > MostBytes {
		return &TooLargeError{Path: "/pods"}
	}
	if list.Continue = ""; end < len(p.sizes) {
		list.Continue = fmt.Sprint(end)
	}
	return nil
}

func names(items []corev1.Pod) (out []string) {
	for _, p := range items {
		out = append(out, p.Name)
	}
	return out
}

func numbers(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint(i))
	}
	return out
}

// TestList: every object is kept once, however large the pages may be.
func TestList(t *testing.T) {
	for name, c := range map[string]struct {
		sizes  []int
		limits []int64
	}{
		"none":            {nil, []int64{16}},
		"small ones":      {make([]int, 40), []int64{16, 16, 16}},
		"some large":      {append(make([]int, 16), MostBytes, MostBytes, 0), []int64{16, 16, 8, 4, 2, 1, 1, 1}},
		"all together":    {slices.Repeat([]int{MostBytes / 16}, 16), []int64{16}},
		"a little larger": {slices.Repeat([]int{MostBytes/16 + 1}, 16), []int64{16, 8, 8}},
	} {
		p := &pods{sizes: c.sizes}
		var kept []string
		err := List(t.Context(), p, func(page *corev1.PodList) error {
			kept = append(kept, names(page.Items)...)
			return nil
		})
		if err != nil || !slices.Equal(kept, numbers(len(c.sizes))) || !slices.Equal(p.limits, c.limits) {
			t.Errorf("%s: kept %v in pages of %v, %v; want pages of %v", name, kept, p.limits, err, c.limits)
		}
	}
}

// TestListEndsWithAnError: of an object that is too large alone, and of keep.
func TestListEndsWithAnError(t *testing.T) {
	p := &pods{sizes: []int{0, MostBytes + 1, 0}}
	var large *TooLargeError
	if err := List(t.Context(), p, func(*corev1.PodList) error { return nil }); !errors.As(err, &large) {
		t.Errorf("%v", err)
	}
	enough := errors.New("enough")
	p = &pods{sizes: make([]int, 100)}
	err := List(t.Context(), p, func(*corev1.PodList) error { return enough })
	if !errors.Is(err, enough) || len(p.limits) != 1 {
		t.Errorf("%v after %d pages", err, len(p.limits))
	}
}

// source is what an informer lists from.
type source struct {
	*pods
	options []metav1.ListOptions
}

func (s *source) ListWithContext(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	s.options = append(s.options, o)
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}}
	if _, held := ctx.Value(answerKey{}).(*answer); !held {
		large := s.sizes
		s.sizes = make([]int, len(large))
		defer func() { s.sizes = large }()
	}
	return list, s.page(list, o.Limit, o.Continue)
}

func (s *source) WatchWithContext(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return watch.NewEmptyWatch(), nil
}

// TestInformersListInPages: all objects, each reduced, as one list of the version that was read, and one that is too
// large for a page of its own besides.
func TestInformersListInPages(t *testing.T) {
	s := &source{pods: &pods{sizes: append(make([]int, 20), MostBytes+1)}}
	paged := pagedLister{s, func(o any) (any, error) {
		pod := o.(*corev1.Pod)
		pod.Labels = map[string]string{"reduced": "true"}
		return pod, nil
	}}
	all, err := paged.ListWithContext(t.Context(), metav1.ListOptions{ResourceVersion: "0", LabelSelector: "a=b"})
	if err != nil {
		t.Fatal(err)
	}
	list := all.(*corev1.PodList)
	if !slices.Equal(names(list.Items), numbers(21)) || list.ResourceVersion != "7" || list.Continue != "" {
		t.Errorf("listed %v at %q, then %q", names(list.Items), list.ResourceVersion, list.Continue)
	}
	for _, pod := range list.Items {
		if pod.Labels["reduced"] == "" {
			t.Errorf("pod %s was not reduced", pod.Name)
		}
	}
	for _, o := range s.options {
		if o.ResourceVersion != "" || o.LabelSelector != "a=b" {
			t.Errorf("asked with %+v", o)
		}
	}
}
