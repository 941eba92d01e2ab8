package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxSize is the largest size of a plan in bytes. It is that of a ConfigMap.
const MaxSize = 1 << 20

// ErrInvalid is wrapped by all errors of Decode and Validate.
var ErrInvalid = errors.New("unusable plan")

// Decode parses a plan as the operator wrote it. An unknown member is an error, because ignoring it could change what
// the plan means. Decode checks the form only. Call Validate before use.
func Decode(b []byte) (*Plan, error) {
	if len(b) > MaxSize {
		return nil, invalid("too long; at most %d bytes", MaxSize)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var p *Plan
	if err := d.Decode(&p); err != nil {
		return nil, invalid("not a whole plan document: %v", err)
	}
	if p == nil {
		return nil, invalid("the document is null")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, invalid("something follows the document")
	}
	return p, nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}
