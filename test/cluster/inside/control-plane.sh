#!/usr/bin/env bash
# PID 1 of the control plane: etcd, API server, controller manager and scheduler. Argument: the folder of the programs.
source "$(dirname "$0")/../lib/settings.sh"
PATH=$1:$PATH
pki=$state/pki

# run PROGRAM [ARGUMENT...] starts it, and starts it again whenever it ends. Its PID in this PID namespace is recorded.
run() {
	while true; do
		"$@" >>"$state/log/$1.log" 2>&1 &
		echo $! >"$state/pids/$1"
		wait $! || sleep 0.2
	done &
}
mkdir -p "$state/pids"

# Without fsync: the cluster runs for minutes only.
run etcd --name=only --data-dir="$state/etcd" --unsafe-no-fsync=true --log-level=warn \
	--listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
	--listen-peer-urls=http://127.0.0.1:0

run kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
	--bind-address="::" --advertise-address="$management4.1" --secure-port="$api_port" \
	--service-cluster-ip-range="$services4,$services6" \
	--tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
	--service-account-issuer=https://kubernetes.default.svc.cluster.local \
	--service-account-key-file="$pki/service-account.pub" --service-account-signing-key-file="$pki/service-account.key" \
	--authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
	--kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
	--kubelet-client-certificate="$pki/kubelet-client.crt" --kubelet-client-key="$pki/kubelet-client.key" \
	--audit-policy-file="$here/config/audit.yaml" --audit-log-path="$state/log/audit.log" --audit-log-maxsize=10000 \
	--profiling=false --v=1

# /readyz also waits for the RBAC roles, without which the controller manager exits at once.
wait_for 120 "the API server" kubectl --kubeconfig="$pki/admin.kubeconfig" get --raw /readyz

run kube-controller-manager --kubeconfig="$pki/controller-manager.kubeconfig" \
	--authentication-kubeconfig="$pki/controller-manager.kubeconfig" \
	--authorization-kubeconfig="$pki/controller-manager.kubeconfig" \
	--secure-port=0 --leader-elect=false --use-service-account-credentials=true --kube-api-qps=300 --kube-api-burst=600 \
	--service-account-private-key-file="$pki/service-account.key" --root-ca-file="$pki/ca.crt" \
	--cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" \
	--node-monitor-grace-period=20s --allocate-node-cidrs=false --v=1
run kube-scheduler --kubeconfig="$pki/scheduler.kubeconfig" \
	--authentication-kubeconfig="$pki/scheduler.kubeconfig" --authorization-kubeconfig="$pki/scheduler.kubeconfig" \
	--secure-port=0 --leader-elect=false --kube-api-qps=300 --kube-api-burst=600 --v=1

# PID 1 must reap orphans as long as the machine runs.
while true; do wait -n || sleep 1; done
