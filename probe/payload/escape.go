// Package payload knows what a connection carries: how bytes are written as text, and the presets by the name of a
// protocol. The schema, the engine, the command line and the documentation use it.
package payload

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Escapes are the escapes that Decode knows, for people.
const Escapes = `\xHH (two hexadecimal digits), \0, \t, \r, \n and \\`

// single are the escapes of one letter.
var single = map[byte]byte{'0': 0, 't': '\t', 'r': '\r', 'n': '\n', '\\': '\\'}

// Decode returns the bytes that a text stands for: each of its own is itself, but for escapes.
func Decode(text string) ([]byte, error) {
	out := make([]byte, 0, len(text))
	for {
		plain, rest, escaped := strings.Cut(text, `\`)
		out = append(out, plain...)
		if !escaped {
			return out, nil
		}
		b, n, err := escape(rest)
		if err != nil {
			return nil, err
		}
		out, text = append(out, b), rest[n:]
	}
}

// escape is the byte that the text after a backslash stands for, and how much of the text is part of the escape.
func escape(text string) (b byte, n int, err error) {
	if text == "" {
		return 0, 0, errors.New(`it ends with a single backslash; write \\ for a backslash itself`)
	}
	if b, known := single[text[0]]; known {
		return b, 1, nil
	}
	if text[0] != 'x' {
		first, _ := utf8.DecodeRuneInString(text)
		return 0, 0, fmt.Errorf(`%q is no escape; there are %s`, `\`+string(first), Escapes)
	}
	digits := text[1:min(len(text), 3)]
	v, err := strconv.ParseUint(digits, 16, 8)
	if err != nil || len(digits) < 2 || digits[0] == '+' {
		return 0, 0, fmt.Errorf(`%q is no escape; \x needs two hexadecimal digits, as in \x0a`, `\x`+digits)
	}
	return byte(v), 3, nil
}
