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

volatile const __u32 prober_mark; /* skb->mark of the prober's own segments */
volatile const __u32 snap_length; /* bytes of a packet that the tap delivers */

/* Where a program's offsets start. */
enum base {
	AT_NETWORK, /* traffic control: the IP header, whatever link header the device has */
	AT_START,   /* a SOCK_DGRAM packet socket: the buffer starts with the IP header */
};

/* What a program needs to know of an IP packet. */
struct packet {
	__u8 source[16], destination[16];
	__u16 protocol; /* ETH_P_IP or ETH_P_IPV6 */
	__u8 next;      /* IPPROTO_* of what follows the IP header */
	__u32 payload;  /* offset of it */
};

static __always_inline bool load(struct __sk_buff *skb, enum base base, __u32 offset, void *to, __u32 size)
{
	if (base == AT_NETWORK)
		return bpf_skb_load_bytes_relative(skb, offset, to, size, BPF_HDR_START_NET) == 0;
	return bpf_skb_load_bytes(skb, offset, to, size) == 0;
}

static __always_inline bool read_ipv4(struct __sk_buff *skb, enum base base, __u32 at, struct packet *p)
{
	struct iphdr ip;

	if (!load(skb, base, at, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return false;
	if (ip.frag_off & bpf_htons(FRAGMENT_OFFSET))
		return false;
	__builtin_memcpy(p->source, &ip.saddr, sizeof(ip.saddr));
	__builtin_memcpy(p->destination, &ip.daddr, sizeof(ip.daddr));
	p->protocol = ETH_P_IP;
	p->payload = at + ip.ihl * 4;
	p->next = ip.protocol;
	return true;
}

static __always_inline bool read_ipv6(struct __sk_buff *skb, enum base base, __u32 at, struct packet *p)
{
	struct ipv6hdr ip;

	if (!load(skb, base, at, &ip, sizeof(ip)) || ip.version != 6)
		return false;
	__builtin_memcpy(p->source, &ip.saddr, sizeof(ip.saddr));
	__builtin_memcpy(p->destination, &ip.daddr, sizeof(ip.daddr));
	p->protocol = ETH_P_IPV6;
	p->payload = at + sizeof(ip);
	p->next = ip.nexthdr;
	return true;
}

static __always_inline bool read_packet(struct __sk_buff *skb, enum base base, __u32 at, struct packet *p)
{
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return read_ipv4(skb, base, at, p);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return read_ipv6(skb, base, at, p);
	return false;
}

/* The counters of the flow that this segment belongs to, or NULL. */
static __always_inline struct counters *find(struct __sk_buff *skb, enum base base, const struct packet *p, bool from_local)
{
	struct flow flow = {.protocol = p->protocol};
	__u8 ports[4]; /* source, destination */

	if (!load(skb, base, p->payload, ports, sizeof(ports)))
		return NULL;
	__builtin_memcpy(flow.local, from_local ? p->source : p->destination, sizeof(flow.local));
	__builtin_memcpy(flow.remote, from_local ? p->destination : p->source, sizeof(flow.remote));
	__builtin_memcpy(flow.local_port, from_local ? ports : ports + 2, sizeof(flow.local_port));
	__builtin_memcpy(flow.remote_port, from_local ? ports + 2 : ports, sizeof(flow.remote_port));
	return bpf_map_lookup_elem(&flows, &flow);
}

static __always_inline bool is_reset(struct __sk_buff *skb, enum base base, const struct packet *p)
{
	__u8 flags;

	return p->next == IPPROTO_TCP && load(skb, base, p->payload + TCP_FLAGS, &flags, sizeof(flags)) && flags & TCP_RST;
}

/* Some drivers leave headers in a page of their own, where a relative load does not look: a packet
 * that seems too short for TCP gets its headers pulled together once. */
static __always_inline bool read_tcp(struct __sk_buff *skb, struct packet *p)
{
	__u32 header = skb->protocol == bpf_htons(ETH_P_IP) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__u8 flags;

	if (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6))
		return false;
	if (!load(skb, AT_NETWORK, header + TCP_FLAGS, &flags, sizeof(flags)))
		bpf_skb_pull_data(skb, skb->len < ALL_HEADERS ? skb->len : ALL_HEADERS);
	return read_packet(skb, AT_NETWORK, 0, p) && p->next == IPPROTO_TCP;
}

/* Takes the segments of our flows before the stack sees them, after the tap has. */
SEC("tc")
int tcpprobe_in(struct __sk_buff *skb)
{
	struct packet p = {};
	struct counters *counters;

	if (!read_tcp(skb, &p))
		return TC_ACT_UNSPEC;
	counters = find(skb, AT_NETWORK, &p, false);
	if (!counters)
		return TC_ACT_UNSPEC;
	__sync_fetch_and_add(&counters->stolen, 1);
	return TC_ACT_SHOT;
}

/* Drops resets of our flows that the prober did not send. */
SEC("tc")
int tcpprobe_out(struct __sk_buff *skb)
{
	struct packet p = {};
	struct counters *counters;

	if (skb->mark == prober_mark || !read_tcp(skb, &p) || !is_reset(skb, AT_NETWORK, &p))
		return TC_ACT_UNSPEC;
	counters = find(skb, AT_NETWORK, &p, true);
	if (!counters)
		return TC_ACT_UNSPEC;
	__sync_fetch_and_add(&counters->resets_dropped, 1);
	return TC_ACT_SHOT;
}

static __always_inline bool is_error(__u16 protocol, __u8 type)
{
	if (protocol == ETH_P_IP)
		return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
	return type >= 1 && type <= 4; /* RFC 4443 section 2.1 */
}

/* An ICMP error that quotes a segment of ours. */
static __always_inline bool is_our_error(struct __sk_buff *skb, const struct packet *p)
{
	struct packet quoted = {};
	__u8 type;

	if (p->next != (p->protocol == ETH_P_IP ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return false;
	if (!load(skb, AT_START, p->payload, &type, sizeof(type)) || !is_error(p->protocol, type))
		return false;
	if (!read_packet(skb, AT_START, p->payload + ICMP_QUOTE, &quoted) || quoted.next != IPPROTO_TCP)
		return false;
	return find(skb, AT_START, &quoted, true);
}

/* What the prober's receiving socket sees: what arrives for our flows, ICMP errors about them, and
 * resets that leave although the prober did not send them. */
SEC("socket")
int tcpprobe_tap(struct __sk_buff *skb)
{
	struct packet p = {};
	bool wanted;

	if (!read_packet(skb, AT_START, 0, &p))
		return 0;
	if (skb->pkt_type == PACKET_OUTGOING)
		wanted = skb->mark != prober_mark && is_reset(skb, AT_START, &p) && find(skb, AT_START, &p, true);
	else if (p.next == IPPROTO_TCP)
		wanted = find(skb, AT_START, &p, false);
	else
		wanted = is_our_error(skb, &p);
	return wanted ? snap_length : 0;
}
