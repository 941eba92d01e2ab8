package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

//go:embed stages.yaml
var stages []byte

// startKWOK starts the program that simulates the nodes and their kubelets.
func (c *controlPlane) startKWOK(program string) error {
	text := bytes.ReplaceAll(stages, []byte("@PASS@"), []byte(passing()))
	text = bytes.ReplaceAll(text, []byte("@FAIL@"), []byte(failing()))
	if err := os.WriteFile(c.file("stages.yaml"), text, 0o600); err != nil {
		return err
	}
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	p, err := start(c.folder, "kwok", program,
		"--kubeconfig="+c.file("pki", "admin.kubeconfig"), "--config="+c.file("stages.yaml"),
		"--manage-all-nodes=true", "--node-lease-duration-seconds=0", "--cidr=10.128.0.0/12",
		fmt.Sprintf("--server-address=127.0.0.1:%d", ports[0]))
	if err == nil {
		c.processes = append(c.processes, p)
	}
	return err
}

func nodeName(i int) string { return fmt.Sprintf("fake-%d", i) }

// addNodes makes nodes number from up to number to, and waits until they are ready.
func (c *controlPlane) addNodes(ctx context.Context, from, to int) error {
	for i := from; i < to; i++ {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
			Name:        nodeName(i),
			Annotations: map[string]string{"tcpprobe.dev/address": fmt.Sprintf("172.16.%d.%d", i/250, 1+i%250)},
			Labels: map[string]string{
				corev1.LabelHostname: nodeName(i), corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
			},
		}}
		if err := c.api.Create(ctx, node); err != nil {
			return err
		}
	}
	return c.wait(ctx, "the nodes", 3*time.Minute, func(ctx context.Context) (string, error) {
		var nodes corev1.NodeList
		if err := c.api.List(ctx, &nodes); err != nil {
			return "", err
		}
		ready := 0
		for _, n := range nodes.Items {
			for _, condition := range n.Status.Conditions {
				if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
					ready++
				}
			}
		}
		if ready < to {
			return fmt.Sprintf("%d of %d are ready", ready, to), nil
		}
		return "", nil
	})
}

// apiServerSlice creates the EndpointSlice of the API server. The operator refuses that address as a target.
func (c *controlPlane) apiServerSlice(ctx context.Context) error {
	port := int32(443)
	return client.IgnoreAlreadyExists(c.api.Create(ctx, &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: metav1.NamespaceDefault, Name: "kubernetes",
			Labels: map[string]string{discoveryv1.LabelServiceName: "kubernetes"},
		},
		AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.99.0.1"}}},
		Ports: []discoveryv1.EndpointPort{{Port: &port}},
	}))
}
