//go:build net

package labcmd

import (
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

// A device that answers segments at 0 with an RST in the server's name fails the check, whatever hop limit it gives
// the RST; the server, which knows nothing of it, is left without a connection.
func TestResetAtZero(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{})
	for _, c := range []struct{ fault, wrap, says string }{
		{"reset-at-zero=61", "Fail/ResetAtZero", "the RST's hop limit (61) differs from the peer's (64) and the peer held"},
		{"reset-at-zero=64", "Fail/ResetAtZero", "a device on the way sent it, with the peer's hop limit"},
		{"reset-at-zero=61@out", delivered, "was answered"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			p, found := probe(t, s, quick(""), c.fault)
			expect(t, found, established, c.wrap)
			for key, r := range found {
				if strings.HasPrefix(key, "SequenceWrap") && !strings.Contains(r.Message, c.says) {
					t.Errorf("%s: %s", key, r.Message)
				}
			}
			if p.Report.LeakedFlows != 0 {
				t.Errorf("%d flows leaked", p.Report.LeakedFlows)
			}
			labtest.ExpectNothingLeft(t, s.Lab)
		})
	}
}
