// SPDX-License-Identifier: Apache-2.0
//
// Decapsulation on a Linux member: takes the outer header off packets that the engine sent by
// IPIP (any of the two families in any) or GUE variant 1, and hands what was inside to the kernel
// as if it had come over the wire. Only packets for a VIP of this member are touched; everything
// else passes as it came.

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define MAX_VIPS      1024
#define FRAGMENT_MASK 0x3fff
#define ECN_MASK      0x03
#define ECN_CE        0x03

// IPv4 as IPv4-mapped.
struct address {
	__u8 bytes[16];
};

struct settings {
	__u16 gue_port; // host order
};

enum counter { DECAPSULATED, OTHER_DESTINATION, MALFORMED, CONGESTION_LOST, NB_COUNTERS };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_VIPS);
	__type(key, struct address);
	__type(value, __u32);
} weir_vips SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
} weir_settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NB_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} weir_counters SEC(".maps");

static __always_inline int count(enum counter which, int verdict)
{
	__u32 key = which;
	__u64 *value = bpf_map_lookup_elem(&weir_counters, &key);

	if (value)
		(*value)++;
	return verdict;
}

static __always_inline int is_gue(void *data, void *data_end, __u32 at)
{
	struct udphdr *udp = data + at;
	__u32 zero = 0;
	struct settings *settings = bpf_map_lookup_elem(&weir_settings, &zero);

	return (void *)(udp + 1) <= data_end && settings &&
	       bpf_ntohs(udp->dest) == settings->gue_port;
}

// Where the inner packet begins, from the start of the frame; 0: not encapsulated.
static __always_inline __u32 find_inner(void *data, void *data_end, __u8 *outer_ecn)
{
	struct ethhdr *ethernet = data;
	__u32 at = sizeof(*ethernet);
	__u8 protocol;

	if ((void *)(ethernet + 1) > data_end)
		return 0;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = data + at;

		// The engine's outer headers have no options and are never fragments.
		if ((void *)(ip + 1) > data_end || ip->ihl != 5 ||
		    ip->frag_off & bpf_htons(FRAGMENT_MASK))
			return 0;
		protocol = ip->protocol;
		*outer_ecn = ip->tos & ECN_MASK;
		at += sizeof(*ip);
	} else if (ethernet->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = data + at;

		if ((void *)(ip + 1) > data_end)
			return 0;
		protocol = ip->nexthdr;
		*outer_ecn = ip->flow_lbl[0] >> 4 & ECN_MASK;
		at += sizeof(*ip);
	} else {
		return 0;
	}
	if (protocol == IPPROTO_IPIP || protocol == IPPROTO_IPV6)
		return at;
	if (protocol == IPPROTO_UDP && is_gue(data, data_end, at))
		return at + sizeof(struct udphdr);
	return 0;
}

// RFC 6040: congestion met on the way shows in the packet inside. Returns 0 when that packet's
// sender does not know ECN, so that only its loss tells.
static __always_inline int carry_congestion_v4(struct iphdr *ip)
{
	__u32 sum;

	if ((ip->tos & ECN_MASK) == 0)
		return 0;
	// The word that holds version and ToS changes by what is added; RFC 1624.
	sum = (__u16)~ip->check;
	sum += (__u16)~bpf_htons((__u16)(0x4500 | ip->tos));
	sum += bpf_htons((__u16)(0x4500 | ip->tos | ECN_CE));
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = (__u16)~sum;
	ip->tos |= ECN_CE;
	return 1;
}

static __always_inline int carry_congestion_v6(struct ipv6hdr *ip)
{
	if ((ip->flow_lbl[0] >> 4 & ECN_MASK) == 0)
		return 0;
	ip->flow_lbl[0] |= ECN_CE << 4;
	return 1;
}

// Looks at the inner packet; returns its ethertype in network order, or 0 with `verdict` set.
static __always_inline __u16 check_inner(void *inner, void *data_end, __u8 outer_ecn, int *verdict)
{
	struct iphdr *v4 = inner;
	struct ipv6hdr *v6 = inner;
	struct address destination = {.bytes = {[10] = 0xff, [11] = 0xff}};
	__u16 ethertype;

	*verdict = XDP_DROP;
	if ((void *)(v4 + 1) > data_end)
		return count(MALFORMED, 0);
	if (v4->version == 4) {
		__builtin_memcpy(destination.bytes + 12, &v4->daddr, 4);
		ethertype = bpf_htons(ETH_P_IP);
	} else if (v4->version == 6 && (void *)(v6 + 1) <= data_end) {
		__builtin_memcpy(destination.bytes, &v6->daddr, 16);
		ethertype = bpf_htons(ETH_P_IPV6);
	} else {
		return count(MALFORMED, 0);
	}
	if (!bpf_map_lookup_elem(&weir_vips, &destination)) {
		*verdict = XDP_PASS;
		return count(OTHER_DESTINATION, 0);
	}
	if (outer_ecn != ECN_CE)
		return ethertype;
	if (!(v4->version == 4 ? carry_congestion_v4(v4) : carry_congestion_v6(v6)))
		return count(CONGESTION_LOST, 0);
	return ethertype;
}

SEC("xdp")
int weir_decap(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u8 outer_ecn = 0;
	struct ethhdr ethernet;
	int verdict;
	__u32 inner = find_inner(data, data_end, &outer_ecn);

	if (inner == 0)
		return XDP_PASS;
	__u16 ethertype = check_inner(data + inner, data_end, outer_ecn, &verdict);
	if (ethertype == 0)
		return verdict;
	if (data + sizeof(ethernet) > data_end)
		return XDP_DROP;
	__builtin_memcpy(&ethernet, data, sizeof(ethernet));
	ethernet.h_proto = ethertype;
	if (bpf_xdp_adjust_head(ctx, (int)(inner - sizeof(ethernet))) != 0)
		return count(MALFORMED, XDP_DROP);
	data = (void *)(long)ctx->data;
	data_end = (void *)(long)ctx->data_end;
	if (data + sizeof(ethernet) > data_end)
		return XDP_DROP;
	__builtin_memcpy(data, &ethernet, sizeof(ethernet));
	return count(DECAPSULATED, XDP_PASS);
}

char weir_license[] SEC("license") = "Apache-2.0";
