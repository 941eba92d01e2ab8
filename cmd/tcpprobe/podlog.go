package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxLog is how many bytes of a pod's log are read.
const maxLog = 128 << 20

// podLog reads the report in a pod's log. The log also has lines that the prober wrote to standard error, which begin
// with the program's name. Other lines before the report, such as a stack trace of the worker, are skipped too.
type podLog struct {
	in    *bufio.Reader
	rest  []byte // rest of a line that is passed on
	found bool   // the report has begun
	skip  bool   // the current line is skipped
	inner bool   // the next bytes belong to the current line
}

// withoutLog returns only the report of a pod's log. If the input is only a report, it returns all of it.
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

// begin decides from a line's first bytes whether to skip it.
func (l *podLog) begin(line []byte) {
	line = bytes.TrimLeft(line, " \t")
	l.found = l.found || bytes.HasPrefix(line, []byte("{"))
	l.skip = !l.found || bytes.HasPrefix(line, []byte("prober: "))
}
