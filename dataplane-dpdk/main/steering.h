// SPDX-License-Identifier: Apache-2.0
//
// The port's steering program (xdp/steer.bpf.c), which net_af_xdp attached: what it leaves to the
// kernel.

#pragma once

#include <stdint.h>

#include "lib/address.h"

// Leaves BGP, ping, ARP and neighbour discovery of the addresses to the kernel. interface: its
// index. Returns 0, -ENOENT when no steering program of ours is attached there, another -errno.
int weir_steering_keep(unsigned int interface, const struct weir_address *addresses, uint32_t nb);

// Takes off the program that an engine which was killed left on the port, since net_af_xdp attaches
// its own only where none is. Programs of others stay.
void weir_steering_clear(unsigned int interface);
