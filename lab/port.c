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

// rule says which packets match and which of those are dropped. Set before loading.
struct rule {
	__u8 flags;   // 0: every IP packet matches, whatever it carries; 1: TCP segments with the three properties below
	__u8 any;     // at least one of these flags is set; 0: not asked
	__u8 all;     // all of these flags are set
	__u8 at_zero; // the sequence number is 0
	__u32 share;  // of 2^32: of matches, or of time if bursts; the highest value means all
	__u64 good;   // mean length in ns of the time between bursts; 0: no bursts
	__u64 bad;    // mean length in ns of a burst
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

struct packet {
	int tcp;
	__be32 seq;
	__u8 flags;
};

static __always_inline int load(struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	return bpf_skb_load_bytes_relative(skb, offset, to, size, BPF_HDR_START_NET);
}

static __always_inline int read_tcp(struct __sk_buff *skb, __u32 offset, struct packet *p)
{
	__u8 header[14]; // up to the flags

	if (load(skb, offset, header, sizeof header))
		return 0;
	__builtin_memcpy(&p->seq, header + 4, sizeof p->seq);
	p->flags = header[13];
	p->tcp = 1;
	return 1;
}

static __always_inline int read_ipv4(struct __sk_buff *skb, struct packet *p)
{
	struct iphdr ip;

	if (load(skb, 0, &ip, sizeof ip))
		return 0;
	if (ip.protocol == IPPROTO_TCP && !(ip.frag_off & bpf_htons(0x1fff)))
		read_tcp(skb, ip.ihl * 4, p);
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
	if (ip.nexthdr == IPPROTO_TCP)
		read_tcp(skb, sizeof ip, p);
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
	return ip && (!rule.flags || p->tcp);
}

static __always_inline int matches(const struct packet *p)
{
	if (!rule.flags)
		return 1;
	if (rule.at_zero && p->seq != 0)
		return 0;
	if (rule.any && !(p->flags & rule.any))
		return 0;
	return (p->flags & rule.all) == rule.all;
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
	if (!matches(&p))
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
