#!/usr/bin/env bash
# PID 1 of a node: containerd, kubelet and kube-proxy, each with its usual paths. Arguments: the node's number, the
# folder of the programs.
source "$(dirname "$0")/../lib/settings.sh"
source "$here/lib/cgroups.sh"
source "$here/inside/mounts.sh"
i=$1 node=kn$1
config=/run/cluster/$node/config

configure() {
	mkdir -p "$state/$node/config/cni"
	local file
	for file in containerd.toml kubelet.yaml kube-proxy.yaml cni/pods.conflist; do
		sed -e "s#@NODE@#$node#g; s#@I@#$i#g; s#@PODS4@#$pods4#g; s#@PODS6@#$pods6#g; s#@DNS@#$dns_service#g" \
			"$here/config/$file" >"$state/$node/config/$file"
	done
	: >"$state/$node/config/resolv.conf"
}

set_up_forwarding() {
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	# Services must work between two pods of one node too, whose packets cross only the pods' bridge.
	echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
	echo 1 >/proc/sys/net/bridge/bridge-nf-call-ip6tables
}

hostname "$node"
configure
mount_node "$state/$node" "$2"
set_up_forwarding
PATH=/run/programs:$PATH

containerd --config "$config/containerd.toml" >/var/log/containerd.log 2>&1 &
wait_for 60 "containerd of $node" ctr version
for image in /run/cluster/images/*.tar; do ctr --namespace k8s.io images import "$image"; done
kubelet --config="$config/kubelet.yaml" --kubeconfig="/run/cluster/pki/$node.kubeconfig" \
	--hostname-override="$node" --node-ip="$management4.1$i,${management6}1$i" >/var/log/kubelet.log 2>&1 &
echo $! >/run/kubelet.pid
kube-proxy --config="$config/kube-proxy.yaml" >/var/log/kube-proxy.log 2>&1 &

# PID 1 must reap the orphans of containerd's shims as long as the machine runs.
while true; do wait -n || sleep 1; done
