package apiread

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
)

// TestMostBytes pins the limits: an API server takes objects of 1.5 MiB, and a decoded answer may be 24 times as large.
func TestMostBytes(t *testing.T) {
	if MostBytes != 2097152 || smallBytes != 65536 || Page != 16 {
		t.Errorf("answers of %d bytes, of %d beside others, pages of %d", MostBytes, smallBytes, Page)
	}
}

// server answers with a body of this many bytes.
type server int

func (s server) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, ContentLength: -1,
		Body: io.NopCloser(bytes.NewReader(make([]byte, s)))}, nil
}

func get(t *testing.T, ctx context.Context, b *Budget, size int) (int, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test/api/v1/namespaces/shop/pods/web", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := b.Transport(server(size)).RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return len(body), err
}

func TestAnswersAreReadWhole(t *testing.T) {
	for _, size := range []int{0, 1, smallBytes - 1, smallBytes, smallBytes + 1, MostBytes} {
		held, done := Hold(t.Context())
		if n, err := get(t, held, NewBudget(), size); err != nil || n != size {
			t.Errorf("of %d bytes %d were read: %v", size, n, err)
		}
		done()
	}
}

// TestTooLargeAnswer: one byte more is refused in words, and leaves the whole budget.
func TestTooLargeAnswer(t *testing.T) {
	b := NewBudget()
	held, done := Hold(t.Context())
	_, err := get(t, held, b, MostBytes+1)
	var large *TooLargeError
	if !errors.As(err, &large) ||
		err.Error() != "the API server's answer for /api/v1/namespaces/shop/pods/web has more than 2 MiB" {
		t.Errorf("%v", err)
	}
	done()
	if !b.free.TryAcquire(MostBytes) {
		t.Error("an answer that was refused still counts")
	}
}

// TestUncountedAnswers: those of reads that are not held, such as watches, may have any size.
func TestUncountedAnswers(t *testing.T) {
	if n, err := get(t, t.Context(), NewBudget(), MostBytes+1); err != nil || n != MostBytes+1 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestLargeAnswersAreHeldAlone: small ones are held beside each other, one that is not small waits for all of them, and
// the next waits for that. A read that is retried gives back what its first attempt has taken.
func TestLargeAnswersAreHeldAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget()
		ends := holdSmall(t, b)
		read := make(chan func(), 2)
		for range 2 {
			go func() {
				held, done := Hold(t.Context())
				if _, err := get(t, held, b, smallBytes+1); err != nil {
					t.Error(err)
				}
				read <- done
			}()
		}
		for _, end := range ends {
			synctest.Wait()
			if len(read) > 0 {
				t.Fatal("a large answer is held beside small ones")
			}
			end()
		}
		synctest.Wait()
		if len(read) != 1 {
			t.Fatalf("%d large answers are held at the same time", len(read))
		}
		(<-read)()
		(<-read)()
		if !b.free.TryAcquire(MostBytes) {
			t.Error("something still counts")
		}
	})
}

// holdSmall holds as many small answers as there may be, each of a read that was retried.
func holdSmall(t *testing.T, b *Budget) (ends []func()) {
	for range MostBytes / smallBytes {
		held, done := Hold(t.Context())
		ends = append(ends, done)
		for range 2 {
			if _, err := get(t, held, b, 10); err != nil {
				t.Fatal(err)
			}
		}
	}
	return ends
}

// TestHoldEndsWithItsContext: a read that waits for others ends with its context.
func TestHoldEndsWithItsContext(t *testing.T) {
	b := NewBudget()
	held, done := Hold(t.Context())
	defer done()
	if _, err := get(t, held, b, MostBytes); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	waiting, end := Hold(ctx)
	defer end()
	if _, err := get(t, waiting, b, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
