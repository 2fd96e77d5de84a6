// SPDX-License-Identifier: Apache-2.0
//
// What of the data port is the engine's. For DPDK's net_af_xdp (xdp_prog=steer.bpf.o), which binds
// its sockets to the map `xsks_map`. Everything goes to the engine but what the map
// `kernel_addrs` names: on a node with one port, the kernel's own address keeps BGP, ping and
// its neighbour discovery. The engine fills that map at start (--kernel-address).

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum {
	BGP_PORT = 179,
	ICMP_ECHO_REPLY = 0,
	ICMP_ECHO_REQUEST = 8,
	ICMP6_ECHO_REQUEST = 128,
	ICMP6_ECHO_REPLY = 129,
	NEIGHBOUR_SOLICITATION = 135,
	NEIGHBOUR_ADVERTISEMENT = 136,
	ARP_TARGET = 24, // offset of the target's address in an IPv4-over-Ethernet message
	MAX_QUEUES = 64,
	MAX_ADDRESSES = 16,
};

// IPv4 as its IPv4-mapped address.
struct address {
	__u32 words[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, MAX_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_ADDRESSES);
	__type(key, struct address);
	__type(value, __u8);
} kernel_addrs SEC(".maps");

static __always_inline int is_kernels(const struct address *address)
{
	return bpf_map_lookup_elem(&kernel_addrs, address) != NULL;
}

static __always_inline struct address mapped(__u32 ipv4)
{
	struct address address = {{0, 0, bpf_htonl(0xffff), ipv4}};

	return address;
}

static __always_inline int is_bgp(const void *l4, const void *end)
{
	const __be16 *ports = l4;

	if ((const void *)(ports + 2) > end)
		return 0;
	return ports[0] == bpf_htons(BGP_PORT) || ports[1] == bpf_htons(BGP_PORT);
}

static __always_inline int for_kernel_arp(const void *l3, const void *end)
{
	const __u8 *target = (const __u8 *)l3 + ARP_TARGET;
	struct address address;
	__u32 ipv4;

	if ((const void *)(target + sizeof(ipv4)) > end)
		return 0;
	__builtin_memcpy(&ipv4, target, sizeof(ipv4));
	address = mapped(ipv4);
	return is_kernels(&address);
}

static __always_inline int for_kernel_v4(const void *l3, const void *end)
{
	const struct iphdr *ip = l3;
	struct address address;
	const __u8 *l4;

	if ((const void *)(ip + 1) > end)
		return 0;
	address = mapped(ip->daddr);
	if (!is_kernels(&address))
		return 0;
	l4 = (const __u8 *)l3 + ip->ihl * 4;
	if (ip->protocol == IPPROTO_TCP)
		return is_bgp(l4, end);
	if (ip->protocol != IPPROTO_ICMP || (const void *)(l4 + 1) > end)
		return 0;
	return *l4 == ICMP_ECHO_REQUEST || *l4 == ICMP_ECHO_REPLY;
}

static __always_inline int for_kernel_v6(const void *l3, const void *end)
{
	const struct ipv6hdr *ip = l3;
	const __u8 *l4 = (const __u8 *)(ip + 1);
	struct address address;

	if ((const void *)(l4 + 1) > end)
		return 0;
	__builtin_memcpy(&address, &ip->daddr, sizeof(address));
	// A solicitation goes to a multicast group; its target follows 8 bytes of ICMP.
	if (ip->nexthdr == IPPROTO_ICMPV6 && *l4 == NEIGHBOUR_SOLICITATION) {
		if ((const void *)(l4 + 8 + sizeof(address)) > end)
			return 0;
		__builtin_memcpy(&address, l4 + 8, sizeof(address));
		return is_kernels(&address);
	}
	if (!is_kernels(&address))
		return 0;
	if (ip->nexthdr == IPPROTO_TCP)
		return is_bgp(l4, end);
	return ip->nexthdr == IPPROTO_ICMPV6 &&
	       (*l4 == NEIGHBOUR_ADVERTISEMENT || *l4 == ICMP6_ECHO_REQUEST ||
		*l4 == ICMP6_ECHO_REPLY);
}

SEC("xdp")
int steer(struct xdp_md *context)
{
	const void *data = (const void *)(long)context->data;
	const void *end = (const void *)(long)context->data_end;
	const struct ethhdr *ethernet = data;
	int kernels = 0;

	if ((const void *)(ethernet + 1) > end)
		return XDP_DROP;
	switch (ethernet->h_proto) {
	case bpf_htons(ETH_P_ARP):
		kernels = for_kernel_arp(ethernet + 1, end);
		break;
	case bpf_htons(ETH_P_IP):
		kernels = for_kernel_v4(ethernet + 1, end);
		break;
	case bpf_htons(ETH_P_IPV6):
		kernels = for_kernel_v6(ethernet + 1, end);
		break;
	}
	if (kernels)
		return XDP_PASS;
	// Without a socket on the queue nobody forwards: better dropped than answered by the
	// kernel.
	return bpf_redirect_map(&xsks_map, context->rx_queue_index, XDP_DROP);
}

char program_license[] SEC("license") = "Apache-2.0";
