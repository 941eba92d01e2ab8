#!/usr/bin/env bash
# Installs the Debian packages that the cluster, the guests, the servers under test, the checks and the bench need,
# where they are missing, and says which and why.
#
#   setup.sh [cluster|guests|servers|checks|bench]...   (all but bench, if none is named)
set -euo pipefail

declare -A purpose=(
	[containerd]="runs the containers of the cluster's nodes"
	[runc]="starts the containers"
	[containernetworking-plugins]="gives the pods their network"
	[nftables]="is how kube-proxy makes Services"
	[iproute2]="lays the cluster's cables"
	[conntrack]="lists the connections that nodes track, to show that none stays"
	[time]="measures the prober's memory"
	[procps]="sets the nodes' kernel parameters"
	[kmod]="loads br_netfilter where the kernel has it as a module, and knows which modules the guests need"
	[qemu-system-x86]="boots other kernels"
	[qemu-system-arm]="boots one of arm64"
	[debian-archive-keyring]="verifies them"
	[xz-utils]="unpacks their modules"
	[clang]="compiles the eBPF programs, to check the committed objects"
	[llvm]="strips the eBPF objects"
	[libbpf-dev]="has the headers of eBPF programs"
	[linux-libc-dev]="has the kernel's headers"
	[gcc]="links test programs with the race detector"
	[libc6-dev]="is what gcc links against"
	[shellcheck]="checks the scripts"
	[nginx]="is a server whose accept queue is measured"
	[python3]="has another such server"
	[postgresql]="is a server of a protocol whose payload begins with NUL"
	[mariadb-server]="locks out hosts that leave connections unfinished"
	[openssh-server]="refuses clients while too many others have not logged in"
	[redis-server]="is a server that waits for its clients, at its defaults"
	[memcached]="is another of those"
	[mosquitto]="is a server of MQTT, which closes on what is none"
	[haproxy]="is a proxy that ends connections, at its defaults"
	[gunicorn]="is a server with few workers that waits for whole requests"
	[tshark]="reads the captures that the product writes, with another's eyes"
	[python3-scapy]="is what this engine is measured beside"
	[tcpdump]="brings libpcap, which compiles that tool's filters"
)
declare -A group=(
	[cluster]="containerd runc containernetworking-plugins nftables iproute2 conntrack procps kmod time"
	[servers]="nginx python3 postgresql mariadb-server openssh-server redis-server memcached mosquitto haproxy gunicorn"
	[bench]="python3-scapy tcpdump"
	[guests]="qemu-system-x86 qemu-system-arm debian-archive-keyring xz-utils kmod"
	[checks]="clang llvm libbpf-dev linux-libc-dev gcc libc6-dev shellcheck tshark"
)

fail() {
	echo "setup: $*" >&2
	exit 1
}

installed() {
	[[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

(($# > 0)) || set -- cluster guests servers checks
missing=()
for name in "$@"; do
	for package in ${group[$name]:?"no such group: $name"}; do
		installed "$package" || missing+=("$package")
	done
done

command -v go >/dev/null || fail "Go 1.26 or newer is needed: https://go.dev/doc/install"
((${#missing[@]} > 0)) || exit 0
command -v apt-get >/dev/null || fail "this is no Debian; install what provides: ${missing[*]}"
((EUID == 0)) || fail "needs root to install: ${missing[*]}"

echo "Installing Debian packages:"
for package in "${missing[@]}"; do printf '  %-28s %s\n' "$package" "${purpose[$package]}"; done
export DEBIAN_FRONTEND=noninteractive
readonly policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then # so that no server starts because tests need its program
	trap 'rm -f "$policy"' EXIT
	install --mode=755 /dev/stdin "$policy" <<<$'#!/bin/sh\nexit 101'
fi
apt-get update --quiet --quiet ||
	echo "setup: the package lists could not be renewed; trying with those that are there" >&2
apt-get install --quiet --yes --no-install-recommends --option Dpkg::Use-Pty=0 "${missing[@]}"
