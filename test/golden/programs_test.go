package golden

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const root = "../.."

// programsVariable is the environment variable with the folder of the programs to record. If it is not set, they are
// built from this commit.
const programsVariable = "TCPPROBE_PROGRAMS"

var built struct {
	sync.Mutex
	paths map[string]string
}

// program is the path of manager, prober or tcpprobe.
func program(t *testing.T, name string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if path := built.paths[name]; path != "" {
		return path
	}
	path, err := find(name)
	if err != nil {
		t.Fatal(err)
	}
	if built.paths == nil {
		built.paths = make(map[string]string)
	}
	built.paths[name] = path
	return path
}

func find(name string) (string, error) {
	if folder := os.Getenv(programsVariable); folder != "" {
		return filepath.Abs(filepath.Join(folder, name))
	}
	path, err := filepath.Abs(filepath.Join(root, "bin", name))
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", path, "./cmd/"+name)
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, output)
	}
	return path, nil
}

// run runs a program of this repository and returns a document: the command line, what it printed, and its exit
// status.
func run(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	out := execute(t, exec.Command(program(t, name), arguments...))
	return fmt.Sprintf("$ %s\n%s", strings.Join(append([]string{name}, quoted(arguments)...), " "), out)
}

func quoted(arguments []string) []string {
	out := make([]string, len(arguments))
	for i, a := range arguments {
		out[i] = a
		if a == "" || strings.ContainsAny(a, " \"'{}[]\n\\") {
			out[i] = fmt.Sprintf("%q", a)
		}
	}
	return out
}

// execute runs a command without the environment of the test.
func execute(t *testing.T, command *exec.Cmd) output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	command.Env = append(command.Env, "PATH="+os.Getenv("PATH"), "HOME=/")
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return output{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
}

// output is what a program printed, and its exit status.
type output struct {
	stdout, stderr string
	status         int
}

func (o output) String() string {
	text := withNewline(o.stdout)
	if o.stderr != "" {
		text += "stderr:\n" + withNewline(o.stderr)
	}
	return text + fmt.Sprintf("exit status %d\n", o.status)
}

// withNewline ends the text with a newline.
func withNewline(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}
