package apiread

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
)

// NewInformer builds the informers of a cache so that what they list is reduced page by page. A cache reduces what is
// watched object by object, but what is listed only when it has the whole list. Informers list where the API server
// does not stream its objects.
func NewInformer(reduce toolscache.TransformFunc) func(toolscache.ListerWatcher, runtime.Object, time.Duration,
	toolscache.Indexers) toolscache.SharedIndexInformer {
	return func(from toolscache.ListerWatcher, o runtime.Object, resync time.Duration,
		indexers toolscache.Indexers) toolscache.SharedIndexInformer {
		paged := pagedLister{toolscache.ToListerWatcherWithContext(from), reduce}
		return toolscache.NewSharedIndexInformer(paged, o, resync, indexers)
	}
}

// pagedLister lists in pages, and reduces the objects of each before it reads the next.
type pagedLister struct {
	from   toolscache.ListerWatcherWithContext
	reduce toolscache.TransformFunc
}

// Watch implements toolscache.ListerWatcher.
func (p pagedLister) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return p.WatchWithContext(context.Background(), options)
}

// WatchWithContext implements toolscache.ListerWatcherWithContext.
func (p pagedLister) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return p.from.WatchWithContext(ctx, options)
}

// List implements toolscache.ListerWatcher.
func (p pagedLister) List(options metav1.ListOptions) (runtime.Object, error) {
	return p.ListWithContext(context.Background(), options)
}

// ListWithContext lists everything. It asks for the newest version, because for older ones API servers ignore the
// limit.
func (p pagedLister) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	var all runtime.Object
	var items []runtime.Object
	options.ResourceVersion, options.ResourceVersionMatch = "", ""
	err := pages(func(limit int64, token string) (string, error) {
		options.Limit, options.Continue = limit, token
		held, done := Hold(ctx)
		defer done()
		page, err := p.from.ListWithContext(held, options)
		var large *TooLargeError
		if errors.As(err, &large) && limit == 1 { // the cache needs every object, and this one is watched whole, too
			page, err = p.from.ListWithContext(ctx, options)
		}
		if err != nil {
			return "", err
		}
		if err := meta.EachListItemWithAlloc(page, func(o runtime.Object) error {
			reduced, err := p.reduce(o)
			items = append(items, reduced.(runtime.Object))
			return err
		}); err != nil {
			return "", err
		}
		all = page
		list, err := meta.ListAccessor(page)
		if err != nil {
			return "", err
		}
		return list.GetContinue(), nil
	})
	if err != nil {
		return nil, err
	}
	return all, meta.SetList(all, items)
}
