// In the unit stage, and with make golden, which has both tags; not once more in the stages net and envtest.

//go:build (net && envtest) || (!net && !envtest)

package golden

import (
	"strings"
	"testing"
)

// TestHelp records the help of every command, and its errors for command lines that it refuses.
func TestHelp(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"manager": {
			"--help", "", "--namespace=a surplus", "--namespace=a --probe-namespace=a", "--namespace=a",
			"--namespace=a --prober-image=b --prober-pull-policy=Sometimes", "--max-pods=0", "--max-packets-per-node=1",
			"--namespace=a --prober-image=b --prober-tolerations=[{effect:NoExecute}]", "--address-ceiling=10.1.2.3/16",
			`--namespace=a --prober-image=b --prober-tolerations=[{"key":"k","effect":"NoExecute"}]`, "--no-such-flag",
		},
		"prober": {"--help", "", "--source=kn1 surplus", "--source=kn1 --guard=other", "--no-such-flag"},
		"tcpprobe": {
			"", "--help", "help run", "run --help", "lab --help", "lab switch --help", "report --help", "completion --help",
			"watch --help", "watch", "watch host", "watch 127.0.0.1:1 --heartbeat 1ms",
			"no-such-command",
			"run", "run host", "run 127.0.0.1:1 -o yaml", "run 127.0.0.1:1 --guard other", "lab surplus", "lab --output=yaml",
			"report", "report /no/such/file", "report --output=json -", "lab switch", "lab --family IPv5", "lab --server other",
			"lab --network other",
		},
	} {
		var document strings.Builder
		for i, line := range lines {
			if i > 0 {
				document.WriteString("\n")
			}
			document.WriteString(run(t, name, strings.Fields(line)...))
		}
		compare(t, "help/"+name+".txt", document.String())
	}
	for _, shell := range []string{"bash", "fish", "powershell", "zsh"} {
		compare(t, "help/completion."+shell, run(t, "tcpprobe", "completion", shell))
	}
	requireNoStaleFiles(t, "help")
}
