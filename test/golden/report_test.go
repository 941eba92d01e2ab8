// In the unit stage, and with make golden, which has both tags; not once more in the stages net and envtest.

//go:build (net && envtest) || (!net && !envtest)

package golden

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestReport records the tables of stored reports, byte by byte.
func TestReport(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(testdata, "reports", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no reports", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		compare(t, "report/"+name+".txt", run(t, "tcpprobe", "report", file))
	}
	requireNoStaleFiles(t, "report")
}
