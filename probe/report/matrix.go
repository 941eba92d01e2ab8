package report

import (
	"encoding/base64"
	"errors"
)

// matrix holds one verdict in two bits for every target and check: question i is in bits 2(i mod 4)
// and up of byte i/4, with the index of its verdict in verdictOf.
type matrix []byte

var verdictOf = [4]Verdict{"", Pass, Fail, Inconclusive}

func newMatrix(n int) matrix { return make(matrix, (n+3)/4) }

func parseMatrix(s string) (matrix, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil && matrix(b).String() != s { // it had line ends, or odd bits at its end
		err = errors.New("not as a matrix is written")
	}
	return matrix(b), err
}

func (m matrix) String() string { return base64.RawURLEncoding.EncodeToString(m) }

// at is the verdict of question i; none if i is outside.
func (m matrix) at(i int) Verdict {
	if i < 0 || i/4 >= len(m) {
		return ""
	}
	return verdictOf[m[i/4]>>(2*(i%4))&3]
}

// raise sets question i to v unless something worse is there already.
func (m matrix) raise(i int, v Verdict) {
	if v.Compare(m.at(i)) <= 0 {
		return
	}
	for code, known := range verdictOf {
		if known == v {
			m[i/4] = m[i/4]&^(3<<(2*(i%4))) | byte(code)<<(2*(i%4))
		}
	}
}
