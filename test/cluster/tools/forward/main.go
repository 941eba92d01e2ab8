// Command forward makes a TCP address of another network namespace reachable on this one's loopback.
//
//	forward -netns /run/netns/tcpprobe-control-plane -to 127.0.0.1:6443 -write port
//
// It listens on a free port of 127.0.0.1 and writes host:port into a file. Nothing is added to either namespace but
// this process's sockets, so nothing stays when it ends.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

func main() {
	netns := flag.String("netns", "", "network namespace that has the address")
	to := flag.String("to", "", "the address there, numeric")
	write := flag.String("write", "", "file for the address here")
	flag.Parse()
	fmt.Fprintf(os.Stderr, "forward: %v\n", serve(*netns, *to, *write))
	os.Exit(1)
}

func serve(netns, to, write string) error {
	namespace, err := os.Open(netns)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := publish(write, listener.Addr().String()); err != nil {
		return err
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go forward(client, namespace, to)
	}
}

// publish writes the file by a rename, because another program waits for it and must not read half of it.
func publish(file, address string) error {
	if err := os.WriteFile(file+".new", []byte(address), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func forward(client net.Conn, namespace *os.File, to string) {
	defer client.Close()
	server, err := dial(namespace, to)
	if err != nil {
		fmt.Fprintf(os.Stderr, "forward: %v\n", err)
		return
	}
	defer server.Close()
	go relay(server, client)
	relay(client, server)
}

// relay copies one direction, until its end, and then closes that direction of the other connection.
func relay(to, from net.Conn) {
	_, _ = io.Copy(to, from) // the two peers see a broken connection themselves
	_ = to.(*net.TCPConn).CloseWrite()
}

// dial connects inside the namespace. A socket stays in the namespace in which it was made, whoever uses it.
func dial(namespace *os.File, to string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread is in the other namespace and must end with this goroutine
		if err = unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err == nil {
			conn, err = net.Dial("tcp", to)
		}
	}()
	<-done
	return conn, err
}
