package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"github.com/vishvananda/netns"
)

// Namespace is a network namespace without a name. It exists as long as this process has its descriptor, threads are
// inside Do, or sockets that were opened there exist. Then the kernel removes it with its devices, routes and eBPF
// links. So nothing is left after SIGKILL either.
type Namespace struct {
	name   string
	handle netns.NsHandle
}

// newNamespace makes an empty network namespace. The calling thread stays in its own.
func newNamespace(name string) (*Namespace, error) {
	n := &Namespace{name: name, handle: netns.None()}
	err := onOwnThread(func() error {
		var err error
		n.handle, err = netns.New()
		return err
	})
	if errors.Is(err, syscall.EPERM) {
		return nil, fmt.Errorf("making network namespace %q: not permitted; run as root (CAP_SYS_ADMIN and CAP_NET_ADMIN "+
			"are needed)", name)
	}
	if err != nil {
		return nil, fmt.Errorf("making network namespace %q: %w", name, err)
	}
	return n, nil
}

// open returns the namespace of the given name (as in /run/netns) or path; "" is this process's own.
func open(name string) (*Namespace, error) {
	path := name
	switch {
	case name == "":
		path = "/proc/self/ns/net"
	case !strings.Contains(name, "/"):
		path = "/run/netns/" + name
	}
	h, err := netns.GetFromPath(path)
	if err != nil {
		return nil, fmt.Errorf("network namespace %q: %w; give a name that `ip netns` lists or a path such as "+
			"/proc/PID/ns/net", name, err)
	}
	return &Namespace{name: name, handle: h}, nil
}

// Own returns the namespace of this process.
func Own() (*Namespace, error) { return open("") }

// onOwnThread runs f on the caller's goroutine and returns the thread to its namespace afterwards, even if f panics or
// ends the goroutine. If that fails, the thread stays locked. The runtime then destroys it with the goroutine and does
// not reuse it.
func onOwnThread(f func() error) (err error) {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("reading this thread's network namespace: %w", err)
	}
	defer func() {
		defer home.Close()
		if back := netns.Set(home); back != nil {
			err = errors.Join(err, fmt.Errorf("returning from a network namespace: %w", back))
			return
		}
		runtime.UnlockOSThread()
	}()
	return f()
}

// Do runs f with the calling thread inside the namespace. Sockets that f opens and processes that it starts stay in the
// namespace. Goroutines that it starts are not in it. Calls may be nested.
func (n *Namespace) Do(f func() error) error {
	return onOwnThread(func() error {
		if err := netns.Set(n.handle); err != nil {
			return fmt.Errorf("entering network namespace %q: %w", n.name, err)
		}
		return f()
	})
}

// Run starts cmd inside the namespace and waits for it. The process dies with its parent.
func (n *Namespace) Run(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// The signal is sent when the starting thread ends. Do keeps that thread until Run has returned.
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	return n.Do(cmd.Run)
}

// Path returns a path of the namespace for other processes, such as nsenter --net=PATH. It is valid as long as this
// process has the namespace open.
func (n *Namespace) Path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(n.handle))
}

// Close closes this process's descriptor of the namespace.
func (n *Namespace) Close() error {
	if !n.handle.IsOpen() {
		return nil
	}
	return n.handle.Close()
}
