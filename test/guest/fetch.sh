#!/usr/bin/env bash
# Fetches the distribution's kernels that the guests boot into the cache and prints the folder with them.
#
# Each is the newest cloud kernel of one Debian suite: NAME/vmlinuz, and in NAME/modules and NAME/devices NN-….ko, in
# the order of their loading. They come from the Debian mirror that this machine uses, by a private configuration of
# apt: nothing is installed, and the machine's own lists of packages stay as they are. The folder's name is a hash of
# this script, and it appears whole, by a rename under a lock: two fetches at once are one fetch, and an interrupted one
# is never taken for a whole.
set -euo pipefail
shopt -s inherit_errexit

# name, architecture, suites
kernels=(
	"5.10 amd64 bullseye"
	"6.1 amd64 bookworm bookworm-security"
	"6.12 amd64 bookworm-backports"
	"6.12-arm64 arm64 bookworm-backports"
)
modules=(virtio_pci virtio_net tcp_diag)

# What the lab's networks and the guard need besides, in NAME/devices.
devices=(tcp_diag veth bridge tun macvlan ipvlan ifb vxlan geneve wireguard 8021q bonding
	cls_bpf cls_u32 act_mirred sch_ingress
	nf_tables nft_ct nft_counter nft_nat nft_chain_nat nft_reject_inet nf_conntrack_netlink)

cache=${XDG_CACHE_HOME:-$HOME/.cache}/tcpprobe
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf '%s\n' "$*" >&2; }

fail() {
	say "guests: $*"
	exit 1
}

# mirror RELEASE prints where this machine gets that release of Debian from.
mirror() {
	# shellcheck disable=SC2016 # the words are for apt
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk -v release="$1" '$2 == release && $3 == "main" { print $1; exit }'
}

# source_of SUITE prints the line of a source list: security updates have a mirror of their own.
source_of() {
	local own uri
	# shellcheck source=/dev/null
	own=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
	case $1 in
	*-security) uri=$(mirror "$own-security") ;;
	*) uri=$(mirror "$own") ;;
	esac
	[[ -n $uri ]] || fail "apt has no source for $own from which one for $1 could be derived: is this Debian?"
	printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$1"
}

# configure FOLDER ARCHITECTURE SUITE... makes a configuration of apt that knows these suites only.
configure() {
	local folder=$1 architecture=$2 suite
	shift 2
	mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
	for suite in "$@"; do source_of "$suite"; done >"$folder/sources.list"
	cat >"$folder/apt.conf" <<-END
		Dir::Etc::SourceList "$folder/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::State::Lists "$folder/lists";
		Dir::State::Status "/dev/null";
		Dir::Cache "$folder/cache";
		APT::Sandbox::User "";
		APT::Architecture "$architecture";
		APT::Architectures { "$architecture"; };
		Acquire::Languages "none";
		Acquire::Check-Valid-Until "false";
	END
}

# kernel_into FOLDER NAME ARCHITECTURE SUITE... fetches the newest cloud kernel of the suites.
kernel_into() (
	local folder=$1/$2 work=$1/$2.work meta=linux-image-cloud-$3 package
	say "Fetching kernel $2."
	shift 2
	configure "$work" "$@"
	export APT_CONFIG=$work/apt.conf
	apt-get update --quiet --quiet
	package=$(apt-cache depends --important "$meta" | awk '/Depends: linux-image-/ { print $2; exit }')
	[[ -n $package ]] || fail "$* has no $meta"
	(cd "$work" && apt-get download --quiet --quiet "$package" && dpkg-deb --extract ./linux-image-*.deb tree)
	mkdir -p "$folder"
	cp "$work"/tree/boot/vmlinuz-* "$folder/vmlinuz"
	add_modules "$work/tree" "$folder/modules" "${modules[@]}"
	add_modules "$work/tree" "$folder/devices" "${devices[@]}"
	rm -rf "$work"
)

# add_modules TREE FOLDER MODULE... copies modules in the order of their loading.
add_modules() {
	local tree folder=$2 module
	tree=$(echo "$1"/lib/modules/*)
	mkdir -p "$folder"
	shift 2
	for module in "$@"; do add_module "$tree" "$folder" "$module"; done
}

# add_module TREE FOLDER MODULE copies a module after those that it needs; what is built into the kernel is none.
add_module() {
	local file dependency target
	file=$(find "$1" -name "$3.ko*" -o -name "${3//_/-}.ko*" | head -n 1)
	if [[ -z $file || -n $(find "$2" -name "*-$3.ko") ]]; then return; fi
	while read -r dependency; do add_module "$1" "$2" "$dependency"; done < <(modinfo --field depends "$file" | tr , '\n')
	target=$2/$(find "$2" -name '*.ko' | printf '%02d' "$(wc -l)")-$3.ko
	case $file in
	*.xz) xz --decompress --stdout "$file" >"$target" ;;
	*) cp "$file" "$target" ;;
	esac
}

folder=$cache/guests-$(sha256sum <"$0" | cut -c1-16)
if [[ ! -d $folder ]]; then
	mkdir -p "$cache"
	exec {lock}<"$cache" # the folder itself, so that no lock file stays
	flock --nonblock "$lock" || { say "Waiting for another fetch or build..." && flock "$lock"; }
	if [[ ! -d $folder ]]; then
		rm -rf "$folder.partial" # of an interrupted fetch: we hold its lock
		mkdir "$folder.partial"
		for kernel in "${kernels[@]}"; do
			read -ra words <<<"$kernel"
			kernel_into "$folder.partial" "${words[@]}"
		done
		mv "$folder.partial" "$folder"
		say "Fetched into $folder."
	fi
fi
printf '%s\n' "$folder"
