// Command web is the target of the demo and the end-to-end tests. Port 8080 is an ordinary HTTP server, which answers
// with its host's name. Port 8081 closes every connection that it accepts. Port 8082 never accepts one.
//
// "web get URL" fetches a URL once, for pods that have no other program.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	patience      = 3 * time.Second  // of "get"
	headerTimeout = 20 * time.Second // of the server; Apache has the same
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "get" {
		exit(get(os.Args[2]))
	}
	go stopOnSignal()
	go func() { exit(closeAll(":8081")) }()
	stalled, err := stall(":8082")
	if err != nil {
		exit(err)
	}
	defer stalled.Close()
	exit(serve(":8080"))
}

// stopOnSignal exits on a signal, because the kernel gives PID 1 no default action.
func stopOnSignal() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	os.Exit(0)
}

func serve(address string) error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	server := &http.Server{Addr: address, ReadHeaderTimeout: headerTimeout}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, name)
	})
	return server.ListenAndServe()
}

// closeAll closes every connection as soon as it has accepted it.
func closeAll(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		c, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() { c.Close() }()
	}
}

// stalledBacklog is the backlog of Python's http.server.
const stalledBacklog = 5

// stall listens and never accepts: an application that hangs.
func stall(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	raw, err := listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		return nil, err
	}
	var shortened error
	err = raw.Control(func(fd uintptr) { shortened = syscall.Listen(int(fd), stalledBacklog) })
	return listener, errors.Join(err, shortened)
}

func get(url string) error {
	client := http.Client{Timeout: patience}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
