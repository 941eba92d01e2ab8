package report

import (
	"encoding/base64"
	"errors"
)

// matrix has two bits for each verdict: that of question i is in the bits 2(i mod 4) and 2(i mod 4)+1 of byte i/4, as
// an index into verdictOf.
type matrix []byte

var verdictOf = [4]Verdict{"", Pass, Fail, Inconclusive}

func newMatrix(n int) matrix { return make(matrix, (n+3)/4) }

func parseMatrix(s string) (matrix, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil && matrix(b).String() != s { // the text has line ends, or bits that are not zero at its end
		err = errors.New("not as a matrix is written")
	}
	return matrix(b), err
}

func (m matrix) String() string { return base64.RawURLEncoding.EncodeToString(m) }

// at returns the verdict of question i, or "" if there is no such question.
func (m matrix) at(i int) Verdict {
	if i < 0 || i/4 >= len(m) {
		return ""
	}
	return verdictOf[m[i/4]>>(2*(i%4))&3]
}

// raise sets the verdict of question i to v unless a worse one is set already.
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
