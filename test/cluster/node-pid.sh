#!/usr/bin/env bash
# Prints, as the machine numbers it, the PID of node I's first process: /proc/PID/root is what the node sees.
source "$(dirname "$0")/lib/all.sh"

machine_init "kn$1"
