package report

import "testing"

// Probers and operators of different versions must agree on the encoding: two bits for each question, the first
// question in the lowest bits of the first byte.
func TestMatrixLayout(t *testing.T) {
	m := newMatrix(5)
	for i, v := range []Verdict{Pass, Fail, Inconclusive, "", Fail} {
		m.raise(i, v)
	}
	if m[0] != 0b00_11_10_01 || m[1] != 0b10 || m.String() != "OQI" {
		t.Errorf("matrix is %08b, %s", []byte(m), m)
	}
}

func TestMatrixKeepsTheWorst(t *testing.T) {
	order := []Verdict{"", Pass, Inconclusive, Fail}
	for i, first := range order {
		for j, second := range order {
			m := newMatrix(3)
			m.raise(1, first)
			m.raise(1, second)
			if got, want := m.at(1), order[max(i, j)]; got != want {
				t.Errorf("%q and %q give %q, want %q", first, second, got, want)
			}
			if m.at(0) != "" || m.at(2) != "" {
				t.Errorf("%q and %q spill over", first, second)
			}
		}
	}
}

func TestMatrixKnowsNoOtherVerdict(t *testing.T) {
	m := newMatrix(1)
	m.raise(0, "Maybe")
	if got := m.at(0); got != "" {
		t.Errorf("an unknown verdict was kept as %q", got)
	}
}

func TestMatrixSize(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1, 4: 1, 5: 2, 2816: 704} {
		if got := len(newMatrix(n)); got != want {
			t.Errorf("%d questions take %d bytes, want %d", n, got, want)
		}
	}
}
