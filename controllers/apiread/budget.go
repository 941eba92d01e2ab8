package apiread

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/sync/semaphore"
)

const (
	// MostBytes is the most that an answer with objects of tenants may have. An API server takes objects of 1.5 MiB.
	MostBytes = 2 << 20

	// smallBytes is how much of an answer is read beside others. One that has more is held alone.
	smallBytes = 64 << 10
)

// Budget is the number of bytes that answers may have which are held at the same time.
type Budget struct {
	free *semaphore.Weighted
}

// NewBudget is a budget for one answer of MostBytes, or many small ones.
func NewBudget() *Budget { return &Budget{free: semaphore.NewWeighted(MostBytes)} }

// TooLargeError says that an answer has more than MostBytes.
type TooLargeError struct {
	Path string
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the API server's answer for %s has more than %d MiB", e.Path, MostBytes>>20)
}

// answer is one answer that is held.
type answer struct {
	release func()
}

type answerKey struct{}

// Hold has the answer of a read with this context counted, until done is called. A caller keeps what it needs of the
// decoded objects, calls done, and only then reads more.
func Hold(ctx context.Context) (held context.Context, done func()) {
	a := &answer{release: func() {}}
	return context.WithValue(ctx, answerKey{}, a), a.free
}

// Transport counts the answers of reads whose context is from Hold. It makes no difference to others, such as watches.
func (b *Budget) Transport(next http.RoundTripper) http.RoundTripper { return &transport{b, next} }

type transport struct {
	*Budget
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(req)
	a, counted := req.Context().Value(answerKey{}).(*answer)
	if err != nil || !counted || response.StatusCode != http.StatusOK {
		return response, err
	}
	body, err := t.read(req, response.Body, a)
	if closed := response.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		a.free()
		return nil, err
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return response, nil
}

// read reads a small answer beside others, and any other alone.
func (b *Budget) read(req *http.Request, from io.Reader, a *answer) ([]byte, error) {
	a.free() // of an attempt before this one
	if err := b.take(req.Context(), a, smallBytes); err != nil {
		return nil, err
	}
	head, err := io.ReadAll(io.LimitReader(from, smallBytes))
	if err != nil || len(head) < smallBytes {
		return head, err
	}
	a.free() // two that wait for more, and keep what they have, would wait forever
	if err := b.take(req.Context(), a, MostBytes); err != nil {
		return nil, err
	}
	rest, err := io.ReadAll(io.LimitReader(from, MostBytes-smallBytes+1))
	if err == nil && len(head)+len(rest) > MostBytes {
		err = &TooLargeError{Path: req.URL.Path}
	}
	return append(head, rest...), err
}

func (b *Budget) take(ctx context.Context, a *answer, n int64) error {
	if err := b.free.Acquire(ctx, n); err != nil {
		return err
	}
	a.release = func() { b.free.Release(n) }
	return nil
}

// free gives back what the answer has taken.
func (a *answer) free() {
	a.release()
	a.release = func() {}
}
