//go:build ignore
// SPDX-License-Identifier: (GPL-2.0-only OR MIT)

/* The guard: keeps the local kernel from answering the segments of crafted flows, which it knows
 * nothing about. Two traffic-control programs and a socket filter share one map of flows.
 *
 * Headers are read with the load_bytes helpers only, never through packet pointers: these programs then load
 * with CAP_BPF and CAP_NET_ADMIN, without CAP_PERFMON, and cope with headers outside the linear part
 * of the buffer.
 */
#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define FRAGMENT_OFFSET 0x1fff
#define TCP_FLAGS 13 /* offset of the flags in the TCP header */
#define TCP_RST 0x04
#define ICMP_DEST_UNREACH 3
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMP_QUOTE 8 /* offset of the quoted packet in an ICMP error, both families */
#define ALL_HEADERS 128 /* Ethernet, IP and TCP with all their options */

/* A crafted flow as the prober sees it, in network byte order. An IPv4 address is the first four bytes,
 * the others are 0. The padding is spelled out because keys are compared byte by byte.
 */
struct flow {
	__u8 local[16], remote[16];
	__u8 local_port[2], remote_port[2];
	__u16 protocol; /* ETH_P_IP or ETH_P_IPV6, host byte order */
	__u16 zero;
};

/* A flow on the stack is written in whole words only. Without CAP_PERFMON, kernels before 6.2 take a
 * smaller number there for part of a spilled pointer and refuse to have the rest of its word written.
 */
union key {
	struct flow flow;
	struct {
		__u64 local[2], remote[2];
		__u64 rest; /* the ports, from the lowest byte up, and the protocol */
	};
};

struct counters {
	__u64 stolen;         /* segments taken at ingress */
	__u64 resets_dropped; /* resets of the local kernel dropped at egress */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow);
	__type(value, struct counters);
} flows SEC(".maps");

/* A peer of registered flows: its address, then its port and the protocol. */
struct peer {
	__u64 remote[2], rest;
};

struct rate {
	__u64 interval; /* of the clock */
	__u64 passed;   /* packets from this peer that the tap passed, or would have, in this interval */
};

#define INTERVAL_SHIFT 26 /* bits: 67 ms in ns */

/* Segments of a peer and ICMP errors about it have a rate each: a flood of the one hides nothing of the other. */
#define SEGMENTS 0
#define ERRORS (1ULL << 63)

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct peer);
	__type(value, struct rate);
} rates SEC(".maps");

volatile const __u32 most_passed; /* packets of one peer that the tap passes in an interval */
volatile const __u32 prober_mark; /* skb->mark of the prober's own segments */
volatile const __u32 snap_length; /* bytes of a packet that the tap delivers */

/* Where a program's offsets start. */
enum base {
	AT_NETWORK, /* traffic control: the IP header, whatever link header the device has */
	AT_START,   /* a SOCK_DGRAM packet socket: the buffer starts with the IP header */
};

/* What follows an IP header. */
struct payload {
	__u32 offset;
	__u8 protocol; /* IPPROTO_* */
};

static __always_inline bool load(struct __sk_buff *skb, enum base base, __u32 offset, void *to, __u32 size)
{
	if (base == AT_NETWORK)
		return bpf_skb_load_bytes_relative(skb, offset, to, size, BPF_HDR_START_NET) == 0;
	return bpf_skb_load_bytes(skb, offset, to, size) == 0;
}

static __always_inline bool read_ipv4(struct __sk_buff *skb, enum base base, __u32 at, bool from_local, union key *key,
				      struct payload *payload)
{
	struct iphdr ip;

	if (!load(skb, base, at, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return false;
	if (ip.frag_off & bpf_htons(FRAGMENT_OFFSET))
		return false;
	key->local[0] = from_local ? ip.saddr : ip.daddr;
	key->remote[0] = from_local ? ip.daddr : ip.saddr;
	key->local[1] = key->remote[1] = 0;
	payload->offset = at + ip.ihl * 4;
	payload->protocol = ip.protocol;
	return true;
}

static __always_inline bool read_ipv6(struct __sk_buff *skb, enum base base, __u32 at, bool from_local, union key *key,
				      struct payload *payload)
{
	struct ipv6hdr ip;

	if (!load(skb, base, at, &ip, sizeof(ip)) || ip.version != 6)
		return false;
	__builtin_memcpy(key->local, from_local ? &ip.saddr : &ip.daddr, sizeof(key->local));
	__builtin_memcpy(key->remote, from_local ? &ip.daddr : &ip.saddr, sizeof(key->remote));
	payload->offset = at + sizeof(ip);
	payload->protocol = ip.nexthdr;
	return true;
}

/* Reads the IP header at an offset: the addresses of a flow, and what follows. */
static __always_inline bool read_ip(struct __sk_buff *skb, enum base base, __u32 at, bool from_local, union key *key,
				    struct payload *payload)
{
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return read_ipv4(skb, base, at, from_local, key, payload);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return read_ipv6(skb, base, at, from_local, key, payload);
	return false;
}

/* Completes the flow by its ports and returns its counters, or NULL if it is not registered. */
static __always_inline struct counters *find(struct __sk_buff *skb, enum base base, bool from_local, union key *key,
					     const struct payload *payload)
{
	__u64 protocol = skb->protocol == bpf_htons(ETH_P_IP) ? ETH_P_IP : ETH_P_IPV6;
	__be16 ports[2]; /* source, destination */

	if (!load(skb, base, payload->offset, ports, sizeof(ports)))
		return NULL;
	key->rest = protocol << 32 | (__u64)ports[from_local ? 1 : 0] << 16 | ports[from_local ? 0 : 1];
	return bpf_map_lookup_elem(&flows, key);
}

static __always_inline bool is_reset(struct __sk_buff *skb, enum base base, const struct payload *payload)
{
	__u8 flags;

	return payload->protocol == IPPROTO_TCP && load(skb, base, payload->offset + TCP_FLAGS, &flags, sizeof(flags)) &&
	       flags & TCP_RST;
}

/* Some drivers leave headers in a page of their own, where a relative load does not look: a packet
 * that seems too short for TCP gets its headers pulled together once.
 */
static __always_inline bool read_frame(struct __sk_buff *skb, bool from_local, union key *key, struct payload *payload)
{
	__u32 header = skb->protocol == bpf_htons(ETH_P_IP) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__u8 flags;

	if (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6))
		return false;
	if (!load(skb, AT_NETWORK, header + TCP_FLAGS, &flags, sizeof(flags)))
		bpf_skb_pull_data(skb, skb->len < ALL_HEADERS ? skb->len : ALL_HEADERS);
	return read_ip(skb, AT_NETWORK, 0, from_local, key, payload) && payload->protocol == IPPROTO_TCP;
}

/* Takes the segments of our flows before the stack sees them, after the tap has. */
SEC("tc")
int tcpprobe_in(struct __sk_buff *skb)
{
	union key key = {};
	struct payload payload = {};
	struct counters *counters;

	if (!read_frame(skb, false, &key, &payload))
		return TC_ACT_UNSPEC;
	counters = find(skb, AT_NETWORK, false, &key, &payload);
	if (!counters)
		return TC_ACT_UNSPEC;
	__sync_fetch_and_add(&counters->stolen, 1);
	return TC_ACT_SHOT;
}

/* Drops resets of our flows that the prober did not send. */
SEC("tc")
int tcpprobe_out(struct __sk_buff *skb)
{
	union key key = {};
	struct payload payload = {};
	struct counters *counters;

	if (skb->mark == prober_mark || !read_frame(skb, true, &key, &payload) || !is_reset(skb, AT_NETWORK, &payload))
		return TC_ACT_UNSPEC;
	counters = find(skb, AT_NETWORK, true, &key, &payload);
	if (!counters)
		return TC_ACT_UNSPEC;
	__sync_fetch_and_add(&counters->resets_dropped, 1);
	return TC_ACT_SHOT;
}

static __always_inline bool is_error(struct __sk_buff *skb, const struct payload *payload)
{
	__u8 type;

	if (payload->protocol != IPPROTO_ICMP && payload->protocol != IPPROTO_ICMPV6)
		return false;
	if (!load(skb, AT_START, payload->offset, &type, sizeof(type)))
		return false;
	if (payload->protocol == IPPROTO_ICMP)
		return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
	return type >= 1 && type <= 4; /* RFC 4443 section 2.1 */
}

/* Counts a packet about a flow, and reports whether its peer has sent no more than is read. So the flood of one peer
 * does not fill the queue in which the packets of others wait too. Packets that are not passed show in the counters.
 */
static __always_inline bool within_rate(const union key *key, __u64 kind)
{
	struct peer peer = { { key->remote[0], key->remote[1] }, key->rest >> 16 | kind };
	struct rate first = { bpf_ktime_get_ns() >> INTERVAL_SHIFT, 1 };
	struct rate *rate = bpf_map_lookup_elem(&rates, &peer);
	__u64 passed;

	if (!rate) {
		bpf_map_update_elem(&rates, &peer, &first, BPF_ANY);
		return true;
	}
	if (rate->interval != first.interval) {
		rate->interval = first.interval;
		rate->passed = 0;
	}
	passed = rate->passed; /* two processors may read the same: what the addition returns needs Linux 5.12 */
	__sync_fetch_and_add(&rate->passed, 1);
	return passed < most_passed;
}

/* An ICMP error that quotes a segment of ours. */
static __always_inline bool is_our_error(struct __sk_buff *skb, const struct payload *payload)
{
	union key quoted = {};
	struct payload rest = {};

	return is_error(skb, payload) && read_ip(skb, AT_START, payload->offset + ICMP_QUOTE, true, &quoted, &rest) &&
	       rest.protocol == IPPROTO_TCP && find(skb, AT_START, true, &quoted, &rest) && within_rate(&quoted, ERRORS);
}

static __always_inline bool is_stray_reset(struct __sk_buff *skb)
{
	union key key = {};
	struct payload payload = {};

	return skb->mark != prober_mark && read_ip(skb, AT_START, 0, true, &key, &payload) &&
	       is_reset(skb, AT_START, &payload) && find(skb, AT_START, true, &key, &payload);
}

static __always_inline bool is_answer(struct __sk_buff *skb)
{
	union key key = {};
	struct payload payload = {};

	if (!read_ip(skb, AT_START, 0, false, &key, &payload))
		return false;
	if (payload.protocol == IPPROTO_TCP)
		return find(skb, AT_START, false, &key, &payload) && within_rate(&key, SEGMENTS);
	return is_our_error(skb, &payload);
}

/* What the prober's receiving socket sees: what arrives for our flows, ICMP errors about them, and
 * resets that leave although the prober did not send them.
 */
SEC("socket")
int tcpprobe_tap(struct __sk_buff *skb)
{
	bool wanted = skb->pkt_type == PACKET_OUTGOING ? is_stray_reset(skb) : is_answer(skb);

	return wanted ? snap_length : 0;
}
