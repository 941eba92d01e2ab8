# shellcheck shell=bash
# Names, places and addresses of the test cluster. Sourced by every script beside it; each may use only a part.
# shellcheck disable=SC2034
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
top=$(cd "$here/../.." && pwd)

# One cluster a machine: its namespaces have fixed names, so its records have a fixed place too.
state=/var/lib/tcpprobe-cluster
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tcpprobe

nodes=(1 2 3)                        # kn1, kn2, kn3
control_plane=tcpprobe-control-plane # network namespaces: of the control plane,
switch=tcpprobe-switch               # of the switch between the nodes, whose port fknI is the cable of node I,
node_prefix=tcpprobe-                # and tcpprobe-knI of node I
cgroup=tcpprobe-cluster

# IPv4 and IPv6 of each network; the control plane is 1, node I is 1I.
management4=10.250.0 management6=fd00:10:250:: # control plane and nodes: API traffic
fabric4=10.251.0 fabric6=fd00:10:251::         # node to node through the switch: pod traffic
pods4=10.244 pods6=fd00:10:244                 # pods of node I: 10.244.I.0/24 and fd00:10:244:I::/64
services4=10.96.0.0/16 services6=fd00:10:96::/112
kubernetes_service=10.96.0.1 dns_service=10.96.0.10
api_port=6443

export KUBECONFIG=$state/admin.kubeconfig

say() { printf '%s\n' "$*" >&2; }

fail() {
	say "cluster: $*"
	exit 1
}

# wait_for SECONDS WHAT COMMAND... tries the command until it succeeds.
wait_for() {
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || fail "gave up waiting for $what; see the logs in $state/log"
		sleep 0.1
	done
}
