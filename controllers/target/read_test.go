package target

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestPodsAreReadByName: one that does not exist is there as nil.
func TestPodsAreReadByName(t *testing.T) {
	r, calls := resolverOf(shop()...)
	pods, err := r.pods(t.Context(), "shop", []string{"web-1", "web-2", "web-3"})
	if none, read := pods["web-3"]; err != nil || len(pods) != 3 || !read || none != nil ||
		pods["web-1"].UID != "uid-web-1" || pods["web-2"].UID != "uid-web-2" {
		t.Errorf("read %v, %v", pods, err)
	}
	calls.fail("Pod shop/web-2")
	pods, err = r.pods(t.Context(), "shop", []string{"web-1", "web-2", "web-3"})
	expectError(t, err, "error: read Pod shop/web-2: the API server is down")
	if pods != nil {
		t.Errorf("read %v", pods)
	}
}

func TestReadPod(t *testing.T) {
	r, calls := resolverOf(shop()...)
	key := types.NamespacedName{Namespace: "shop", Name: "web-1"}
	if pod, err := ReadPod(t.Context(), r.Live, key); err != nil || pod == nil || pod.UID != "uid-web-1" {
		t.Errorf("read %v, %v", pod, err)
	}
	other := types.NamespacedName{Namespace: "pay", Name: "web-1"}
	if pod, err := ReadPod(t.Context(), r.Live, other); err != nil || pod != nil {
		t.Errorf("read %v, %v", pod, err)
	}
	calls.fail("Pod shop/web-1")
	pod, err := ReadPod(t.Context(), r.Live, key)
	expectError(t, err, "error: read Pod shop/web-1: the API server is down")
	if pod != nil || !errors.Is(err, errDown) {
		t.Errorf("read %v, %v", pod, err)
	}
}

// waiting answers reads once it is told to.
type waiting struct {
	client.Reader
	asked  chan struct{}
	answer chan struct{}
}

func (w waiting) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	w.asked <- struct{}{}
	<-w.answer
	return nil
}

// TestEightPodsAreReadAtATime: a Service of many pods does not flood the API server.
func TestEightPodsAreReadAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := waiting{asked: make(chan struct{}, 20), answer: make(chan struct{})}
		var names []string
		for i := range 20 {
			names = append(names, fmt.Sprint("web-", i))
		}
		done := make(chan error)
		go func() {
			_, err := (&Resolver{Live: w}).pods(t.Context(), "shop", names)
			done <- err
		}()
		synctest.Wait()
		if n := len(w.asked); n != 8 {
			t.Errorf("%d reads at a time", n)
		}
		close(w.answer)
		if err := <-done; err != nil || len(w.asked) != 20 {
			t.Errorf("%d reads, %v", len(w.asked), err)
		}
	})
}
