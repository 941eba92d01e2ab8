//go:build ignore
// The switch that misbehaves: one program for each direction of a port drops what its rule says and
// passes everything else on to the programs behind it.
#include <linux/bpf.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define PASS -1 // TCX_NEXT and TC_ACT_UNSPEC: the next program decides
#define DROP 2  // TCX_DROP and TC_ACT_SHOT

enum { IN, OUT, DIRECTIONS };

enum place { ANYWHERE, STARTING, STRADDLING, ACKING, MULTIPLES, UP_TO };

// rule says which packets match and which of those are dropped. Set before loading.
struct rule {
	__u64 flags;    // bit f: segments whose six flags have the value f match; 0: every IP packet matches
	__u64 good;     // mean length in ns of the time between bursts; 0: no bursts
	__u64 bad;      // mean length in ns of a burst
	__u32 number;   // what place refers to
	__u32 share;    // of 2^32: of matches, or of time if bursts; the highest value means all
	__u32 seed;     // of the hash that chooses a flow's member
	__u16 members;  // among which the traffic is divided; 0: the switch is one
	__u16 broken;   // of those, the first ones have the rule
	__u8 spray;     // members are chosen for each packet by chance
	__u8 place;
};
volatile const struct rule rule;

// Quantiles of the exponential distribution with mean 1, times 2^16.
#define QUANTILES 256
volatile const __u32 exponential[QUANTILES];

struct count {
	__u64 seen;    // packets that the rule looked at
	__u64 dropped;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DIRECTIONS);
	__type(key, __u32);
	__type(value, struct count);
} counters SEC(".maps");

// The Gilbert-Elliott state of a direction: when its present time ends (ns since boot), and in the lowest bit
// whether that time is bad. In one word, so that two CPUs cannot tear it; if both draw at once, one draw is lost.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DIRECTIONS);
	__type(key, __u32);
	__type(value, __u64);
} weather SEC(".maps");

#define SIX_FLAGS 0x3f
#define WORDS 4 // of an IPv6 address

struct packet {
	__u32 source[WORDS], destination[WORDS]; // the last words only, if IPv4
	__u32 words;                             // of each address
	__u32 ports;                             // both; 0 if not TCP
	__u32 seq, ack;
	__u32 payload; // bytes
	__u8 protocol;
	__u8 flags;
};

static __always_inline int load(struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	return bpf_skb_load_bytes_relative(skb, offset, to, size, BPF_HDR_START_NET);
}

// read_tcp reads what is behind an IP header; size is that of the IP payload.
static __always_inline void read_tcp(struct __sk_buff *skb, __u32 offset, __u32 size, struct packet *p)
{
	struct {
		__be32 ports, seq, ack;
		__u8 offset, flags;
	} tcp; // up to the flags

	p->protocol = 0;
	if (load(skb, offset, &tcp, 14))
		return;
	p->protocol = IPPROTO_TCP;
	p->ports = bpf_ntohl(tcp.ports);
	p->seq = bpf_ntohl(tcp.seq);
	p->ack = bpf_ntohl(tcp.ack);
	p->flags = tcp.flags;
	p->payload = size - (tcp.offset >> 4) * 4;
}

static __always_inline int read_ipv4(struct __sk_buff *skb, struct packet *p)
{
	struct iphdr ip;

	if (load(skb, 0, &ip, sizeof ip))
		return 0;
	p->words = 1;
	p->source[0] = bpf_ntohl(ip.saddr);
	p->destination[0] = bpf_ntohl(ip.daddr);
	p->protocol = ip.protocol;
	if (ip.protocol == IPPROTO_TCP && !(ip.frag_off & bpf_htons(0x1fff)))
		read_tcp(skb, ip.ihl * 4, bpf_ntohs(ip.tot_len) - ip.ihl * 4, p);
	return 1;
}

// Neighbour discovery is not looked at, as ARP is not: a lost answer would keep the host from
// sending at all, which is another fault than a lost packet.
static __always_inline int is_neighbour_discovery(struct __sk_buff *skb)
{
	__u8 type;

	return !load(skb, sizeof(struct ipv6hdr), &type, sizeof type) && type >= 133 && type <= 137;
}

static __always_inline int read_ipv6(struct __sk_buff *skb, struct packet *p)
{
	struct ipv6hdr ip;

	if (load(skb, 0, &ip, sizeof ip))
		return 0;
	if (ip.nexthdr == IPPROTO_ICMPV6 && is_neighbour_discovery(skb))
		return 0;
	p->words = WORDS;
	for (int i = 0; i < WORDS; i++) {
		p->source[i] = bpf_ntohl(ip.saddr.in6_u.u6_addr32[i]);
		p->destination[i] = bpf_ntohl(ip.daddr.in6_u.u6_addr32[i]);
	}
	p->protocol = ip.nexthdr;
	if (ip.nexthdr == IPPROTO_TCP)
		read_tcp(skb, sizeof ip, bpf_ntohs(ip.payload_len), p);
	return 1;
}

// read fills p and returns whether the rule has to look at the packet.
static __always_inline int read(struct __sk_buff *skb, struct packet *p)
{
	int ip = 0;

	if (skb->protocol == bpf_htons(ETH_P_IP))
		ip = read_ipv4(skb, p);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		ip = read_ipv6(skb, p);
	return ip && (!rule.flags || p->protocol == IPPROTO_TCP);
}

static __always_inline int matches(const struct packet *p)
{
	__u32 before = rule.number - p->seq;

	if (!rule.flags)
		return 1;
	if (!(rule.flags >> (p->flags & SIX_FLAGS) & 1))
		return 0;
	switch (rule.place) {
	case STARTING:
		return before == 0;
	case STRADDLING:
		return before > 0 && before < p->payload;
	case ACKING:
		return p->ack == rule.number;
	case MULTIPLES:
		return p->seq % rule.number == 0;
	case UP_TO:
		return p->seq <= rule.number;
	}
	return 1;
}

// mix adds a word to a hash and spreads it over all bits, with the constants of MurmurHash3's finaliser.
static __always_inline __u32 mix(__u32 h, __u32 word)
{
	h ^= word;
	h = (h ^ h >> 16) * 0x85ebca6b;
	h = (h ^ h >> 13) * 0xc2b2ae35;
	return h ^ h >> 16;
}

static __always_inline __u32 hash(const struct packet *p)
{
	__u32 h = rule.seed;

	for (int i = 0; i < WORDS; i++)
		if (i < p->words)
			h = mix(h, p->source[i]);
	for (int i = 0; i < WORDS; i++)
		if (i < p->words)
			h = mix(h, p->destination[i]);
	return mix(mix(h, p->protocol), p->ports);
}

// on_broken_member reports whether the packet meets the rule at all.
static __always_inline int on_broken_member(const struct packet *p)
{
	__u32 random = rule.spray ? bpf_get_prandom_u32() : hash(p);

	return !rule.members || ((__u64)random * rule.members >> 32) < rule.broken;
}

static __always_inline __u64 draw(__u64 mean)
{
	return (mean * exponential[bpf_get_prandom_u32() % QUANTILES]) >> 16;
}

static __always_inline int chance(void)
{
	return rule.share == 0xffffffff || bpf_get_prandom_u32() < rule.share;
}

// is_bad says what the weather is, having moved it on to now. Both times are exponential and so without memory: after
// a long silence a fresh draw by the long-run share is as good as every change that was missed.
static __always_inline int is_bad(__u32 direction)
{
	__u64 *state = bpf_map_lookup_elem(&weather, &direction);
	__u64 now = bpf_ktime_get_ns();
	__u64 until, bad;

	if (!state)
		return 0;
	until = *state & ~1ULL;
	bad = *state & 1;
	if (now < until)
		return bad;
	if (now - until > 8 * (rule.good + rule.bad)) {
		bad = chance();
		until = now + draw(bad ? rule.bad : rule.good);
	}
	for (int i = 0; i < 32 && until <= now; i++) {
		bad = !bad;
		until += draw(bad ? rule.bad : rule.good);
	}
	*state = (until & ~1ULL) | bad;
	return bad;
}

static __always_inline int decide(struct __sk_buff *skb, __u32 direction)
{
	struct count *count = bpf_map_lookup_elem(&counters, &direction);
	struct packet p = {};

	if (!count || !read(skb, &p))
		return PASS;
	__sync_fetch_and_add(&count->seen, 1);
	if (!matches(&p) || !on_broken_member(&p))
		return PASS;
	if (rule.good ? !is_bad(direction) : !chance())
		return PASS;
	__sync_fetch_and_add(&count->dropped, 1);
	return DROP;
}

SEC("tc") int switch_in(struct __sk_buff *skb)
{
	return decide(skb, IN);
}

SEC("tc") int switch_out(struct __sk_buff *skb)
{
	return decide(skb, OUT);
}
