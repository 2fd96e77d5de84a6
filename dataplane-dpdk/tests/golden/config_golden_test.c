// SPDX-License-Identifier: Apache-2.0
// Decodes the configurations that the compiler's own tests hold as golden files: both sides read
// the same bytes.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_balancer_config.pb-c.h"
#include "tests/cmocka_all.h"

static Weir__V1__LoadBalancerConfig *decode(const char *name)
{
	const char *directory = getenv("WEIR_GOLDEN_CONFIGS");
	static uint8_t bytes[64 * 1024];
	char path[512];
	FILE *file;
	size_t length;

	assert_non_null(directory);
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	length = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	return weir__v1__load_balancer_config__unpack(NULL, length, bytes);
}

static void nat_is_decoded(void **state)
{
	Weir__V1__LoadBalancerConfig *config = decode("web.pb");

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->generation, 7);
	assert_int_equal(config->n_vips, 2);
	assert_int_equal(config->vips[1]->address.len, 16);
	assert_int_equal(config->listeners[1]->source_persistence->ipv6_prefix_length, 56);
	assert_int_equal(config->pools[0]->members[0]->port->fixed, 8080);
	assert_int_equal(config->pools[0]->members[0]->serving_since_us, 1);
	assert_int_equal(config->pools[1]->members[0]->port->offset, -10);
	weir__v1__load_balancer_config__free_unpacked(config, NULL);
}

static void tunnel_and_dsr_are_decoded(void **state)
{
	Weir__V1__LoadBalancerConfig *config = decode("tunnel.pb");
	const Weir__V1__Pool *gue;
	const Weir__V1__HealthMonitor *probe;

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->listeners[0]->port_ranges[0]->last, 65535);
	assert_int_equal(config->listeners[0]->n_allowed_prefix_list_ids, 2);
	assert_int_equal(config->listeners[0]->limits->active_flows_per_source, 1000);
	assert_int_equal(config->listeners[1]->flow_tracking,
			 WEIR__V1__FLOW_TRACKING__FLOW_TRACKING_STATELESS);
	gue = config->pools[0];
	assert_int_equal(gue->tunnel_encapsulation,
			 WEIR__V1__TUNNEL_ENCAPSULATION__TUNNEL_ENCAPSULATION_GUE);
	assert_int_equal(gue->tunnel_port, 6081);
	assert_int_equal(gue->slow_start_s, 30);
	probe = config->pools[1]->health_monitor;
	assert_int_equal(probe->udp_expect.len, 4);
	assert_memory_equal(probe->udp_expect.data, "pong", 4);
	weir__v1__load_balancer_config__free_unpacked(config, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nat_is_decoded),
		cmocka_unit_test(tunnel_and_dsr_are_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
