#!/usr/bin/env bash
# Kills a program of the control plane: etcd, kube-apiserver, kube-controller-manager or kube-scheduler. It is started
# again at once.
source "$(dirname "$0")/lib/all.sh"

take_lock
cluster_runs || fail "no cluster runs"
[[ -e $state/pids/${1:-} ]] ||
	fail "no program \"${1:-}\"; there are etcd, kube-apiserver, kube-controller-manager and kube-scheduler"
init=$(machine_init control-plane)
nsenter --target "$init" --pid --mount kill -KILL "$(<"$state/pids/$1")"
say "$1 has ended without a word."
