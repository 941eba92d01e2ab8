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

// Namespace is a network namespace that has no name: only the descriptor of this process, the threads inside Do
// and the sockets opened there keep it. The kernel removes it with its devices, routes and eBPF links when
// the last of them is gone, so nothing is left behind even after kill -9.
type Namespace struct {
	name   string
	handle netns.NsHandle
}

// newNamespace makes an empty network namespace. The caller's thread stays where it is.
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

// Own is the namespace that this process lives in.
func Own() (*Namespace, error) { return open("") }

// onOwnThread runs f on the caller's goroutine and brings the thread back to its namespace afterwards, even
// if f panics or ends the goroutine. A thread that cannot be brought back stays locked, so the
// runtime destroys it with the goroutine instead of lending it to others.
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

// Do runs f with the calling thread inside the namespace. Sockets that f opens and processes that it starts belong to
// the namespace for good; goroutines that it starts do not. Calls may nest.
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
	// The signal comes when the starting thread ends; Do keeps that thread until Run has returned.
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	return n.Do(cmd.Run)
}

// Path names the namespace for other processes, such as nsenter --net=PATH, as long as this process
// holds it.
func (n *Namespace) Path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(n.handle))
}

// Close lets go of the namespace.
func (n *Namespace) Close() error {
	if !n.handle.IsOpen() {
		return nil
	}
	return n.handle.Close()
}
