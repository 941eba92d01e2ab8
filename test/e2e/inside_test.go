//go:build e2e

package e2e

import (
	"runtime"

	"github.com/vishvananda/netns"
)

// inside calls f on a thread in a network namespace. Sockets that it opens stay there. The thread ends with f.
func inside(namespace string, f func()) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		there, err := netns.GetFromName(namespace)
		if err == nil {
			defer there.Close()
			err = netns.Set(there)
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		panic("enter network namespace " + namespace + ": " + err.Error())
	}
}
