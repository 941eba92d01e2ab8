package apiread

import (
	"context"
	"errors"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Page is the number of objects of a page, unless they are too large.
const Page = 16

// List reads a list in pages. keep takes from each page what it needs; then the page is dropped. It ends the reading by
// an error. A page that is too large is read again in smaller ones.
func List[L any, P interface {
	*L
	client.ObjectList
}](ctx context.Context, from client.Reader, keep func(page *L) error, options ...client.ListOption) error {
	return pages(func(limit int64, token string) (string, error) {
		held, done := Hold(ctx)
		defer done()
		page := new(L) // not that of before: a decoder may append to it
		of := append(slices.Clone(options), client.Limit(limit), client.Continue(token))
		if err := from.List(held, P(page), of...); err != nil {
			return "", err
		}
		return P(page).GetContinue(), keep(page)
	})
}

// pages calls read with the token of each page, until there is no next one.
func pages(read func(limit int64, token string) (next string, err error)) error {
	limit, token := int64(Page), ""
	for {
		next, err := read(limit, token)
		var large *TooLargeError
		switch {
		case errors.As(err, &large) && limit > 1:
			limit /= 2
			continue
		case err != nil:
			return err
		case next == "":
			return nil
		}
		token = next
	}
}
