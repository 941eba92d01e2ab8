# shellcheck shell=bash
# Everything the scripts share.
lib=$(dirname "${BASH_SOURCE[0]}")
source "$lib/settings.sh"
source "$lib/cgroups.sh"
source "$lib/machine.sh"
source "$lib/network.sh"
source "$lib/vxlan.sh"
source "$lib/nodes.sh"
source "$lib/leftovers.sh"
