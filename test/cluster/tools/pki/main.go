// Command pki writes the certificates, keys and kubeconfigs of a test cluster that lives for minutes.
//
//	pki -folder pki -server https://10.250.0.1:6443 -names 10.250.0.1,127.0.0.1 kn1=10.250.0.11,fd00:10:250::11 …
//
// Each argument is a node and its addresses.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	folder := flag.String("folder", "", "where to write")
	server := flag.String("server", "", "URL of the API server for its clients inside the cluster")
	names := flag.String("names", "", "names and addresses of the API server, separated by commas")
	flag.Parse()
	if err := run(*folder, *server, strings.Split(*names, ","), flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "pki: %v\n", err)
		os.Exit(1)
	}
}

func run(folder, server string, names, nodes []string) error {
	authority, err := newAuthority("tcpprobe-test-cluster")
	if err != nil {
		return err
	}
	w := writer{folder: folder, server: server, authority: authority}
	w.certificate("apiserver", identity{name: "kube-apiserver", addresses: append(names, "kubernetes.default.svc")})
	w.certificate("kubelet-client", identity{name: "kube-apiserver-kubelet-client", group: "system:masters"})
	w.kubeconfig("admin", identity{name: "admin", group: "system:masters"})
	w.kubeconfig("controller-manager", identity{name: "system:kube-controller-manager"})
	w.kubeconfig("scheduler", identity{name: "system:kube-scheduler"})
	w.kubeconfig("kube-proxy", identity{name: "system:kube-proxy"})
	for _, node := range nodes {
		name, addresses, _ := strings.Cut(node, "=")
		w.kubeconfig(name, identity{
			name: "system:node:" + name, group: "system:nodes",
			addresses: append(strings.Split(addresses, ","), name),
		})
	}
	w.authorityFiles()
	w.serviceAccountKey("service-account")
	return w.err
}
