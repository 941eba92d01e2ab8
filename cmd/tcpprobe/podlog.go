package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxLog bounds how much of a pod's log is read.
const maxLog = 128 << 20

// podLog is what a report stands in: a pod's log also has the lines that the prober wrote on standard error. They
// begin with its name; whatever comes before the report, such as a crash of the worker, is none of it either.
type podLog struct {
	in    *bufio.Reader
	rest  []byte // of a line that is passed on
	found bool   // the report has begun
	skip  bool   // the current line is left out
	inner bool   // the next piece belongs to the current line
}

// withoutLog leaves only the report of a pod's log; of a report alone, everything.
func withoutLog(in io.Reader) io.Reader {
	return &podLog{in: bufio.NewReaderSize(io.LimitReader(in, maxLog), 1<<16)}
}

func (l *podLog) Read(p []byte) (int, error) {
	for len(l.rest) == 0 {
		piece, err := l.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && len(piece) == 0 {
			return 0, err
		}
		if !l.inner {
			l.begin(piece)
		}
		l.inner = errors.Is(err, bufio.ErrBufferFull)
		if !l.skip {
			l.rest = piece
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// begin decides about a line from its first bytes.
func (l *podLog) begin(line []byte) {
	line = bytes.TrimLeft(line, " \t")
	l.found = l.found || bytes.HasPrefix(line, []byte("{"))
	l.skip = !l.found || bytes.HasPrefix(line, []byte("prober: "))
}
