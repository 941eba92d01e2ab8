//go:build guest

package guest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cavaliergopher/cpio"
	"golang.org/x/sys/unix"
)

// machine is a running guest.
type machine struct {
	Ready
	link    *link
	console io.Writer
	said    chan string
	log     bytes.Buffer // of the console; complete once said is closed
}

// bootPatience is long enough for a busy machine. On an idle one a start takes five seconds.
const bootPatience = 10 * time.Minute

// bootPeer starts a guest at the other end of a link.
func (k kernel) bootPeer(t *testing.T) *machine {
	t.Helper()
	own, theirs := pair(t)
	t.Cleanup(func() { must(t, own.Close()) })
	initrd := pack(t, filepath.Join(k.folder(t), "modules"), map[string]string{"init": k.first(t)})
	m := k.boot(t, initrd, theirs, "", "-m", "128",
		"-netdev", "dgram,id=test,local.type=fd,local.str=4",
		"-device", "virtio-net-pci,netdev=test,romfile=,mac="+GuestMAC.String())
	m.link = newLink(own)
	m.hear(t, bootPatience, &m.Ready)
	return m
}

// running bounds the guests at a time: each keeps a core busy while it starts.
var running = make(chan struct{}, 2)

// boot starts the kernel. The guest gets its initial file system and its link, if any, as open files, so
// that no file stays behind. words are added to the kernel's command line.
func (k kernel) boot(t *testing.T, initrd, link *os.File, words string, more ...string) *machine {
	t.Helper()
	running <- struct{}{}
	t.Cleanup(func() { <-running })
	arguments := slices.Concat(k.emulator[1:], more, []string{
		"-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio", "-accel", "tcg",
		"-kernel", filepath.Join(k.folder(t), "vmlinuz"), "-initrd", "/proc/self/fd/3",
		"-append", k.words +
			" quiet panic=-1 mitigations=off nokaslr random.trust_cpu=on net.ifnames=0 " + words})
	qemu := exec.Command(k.emulator[0], arguments...)
	qemu.ExtraFiles, qemu.Stderr = []*os.File{initrd}, os.Stderr
	if link != nil {
		qemu.ExtraFiles = append(qemu.ExtraFiles, link)
	}
	qemu.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	console, err := qemu.StdinPipe()
	must(t, err)
	output, err := qemu.StdoutPipe()
	must(t, err)
	must(t, qemu.Start())
	for _, f := range qemu.ExtraFiles {
		f.Close()
	}
	m := &machine{said: make(chan string, 16), console: console}
	go m.listen(output)
	t.Cleanup(func() {
		_ = qemu.Process.Kill()
		_ = qemu.Wait() // it was killed
		if t.Failed() {
			t.Logf("console:\n%s", m.log.String())
		}
	})
	return m
}

// pair creates a link and returns both ends.
func pair(t *testing.T) (own, theirs *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	must(t, err)
	return os.NewFile(uintptr(fds[0]), "link"), os.NewFile(uintptr(fds[1]), "guest's end of the link")
}

// pack creates a guest's initial file system: the modules of a folder, and programs under the given names.
func pack(t *testing.T, modules string, programs map[string]string) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("initrd", unix.MFD_CLOEXEC)
	must(t, err)
	f := os.NewFile(uintptr(fd), "initrd")
	w := cpio.NewWriter(f)
	for _, folder := range []string{"modules", "tests"} {
		must(t, w.WriteHeader(&cpio.Header{Name: folder, Mode: cpio.TypeDir | 0o755}))
	}
	files, err := filepath.Glob(filepath.Join(modules, "*.ko"))
	must(t, err)
	for _, module := range files {
		put(t, w, "modules/"+filepath.Base(module), module)
	}
	for name, program := range programs {
		put(t, w, name, program)
	}
	must(t, w.Close())
	return f
}

func put(t *testing.T, w *cpio.Writer, name, from string) {
	t.Helper()
	content, err := os.ReadFile(from)
	must(t, err)
	must(t, w.WriteHeader(&cpio.Header{Name: name, Mode: cpio.TypeReg | 0o755, Size: int64(len(content))}))
	_, err = w.Write(content)
	must(t, err)
}

// listen reads the console.
func (m *machine) listen(output io.Reader) {
	defer close(m.said)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		line := strings.TrimRight(lines.Text(), "\r")
		fmt.Fprintln(&m.log, line)
		if text, ok := strings.CutPrefix(line, Said); ok {
			m.said <- text
		}
	}
}

// hear reads the next message of the guest's first process.
func (m *machine) hear(t *testing.T, patience time.Duration, into any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case text, ok := <-m.said:
		if err := json.Unmarshal([]byte(text), into); !ok || err != nil {
			t.Fatalf("the guest's message is %q", text)
		}
	case <-ctx.Done():
		t.Fatalf("no message of the guest for %s", patience)
	}
}

// sockets asks for the guest's sockets towards the test, by state.
func (m *machine) sockets(t *testing.T) map[string]int {
	t.Helper()
	_, err := fmt.Fprintln(m.console, Sockets)
	must(t, err)
	var count map[string]int
	m.hear(t, time.Minute, &count)
	return count
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
