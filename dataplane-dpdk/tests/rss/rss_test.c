// SPDX-License-Identifier: Apache-2.0
//
// RSS by number: a port that is started as the engine starts it is asked for its key and its
// indirection table; what they make of packets, by DPDK's own Toeplitz hash, is compared with what
// the engine takes for a flow's worker.

#include <errno.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_thash.h>

#include "datapath/datapath.h"
#include "main/port.h"
#include "tests/cmocka_all.h"

enum { RETA_SIZE = 128, KEY_LENGTH = 40 };

static struct weir_engine engine;
static const uint64_t secret[2] = {UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)};

// What the device holds.
static uint8_t device_key[KEY_LENGTH];
static struct rte_eth_rss_reta_entry64 device_reta[RETA_SIZE / RTE_ETH_RETA_GROUP_SIZE];

static void port_up(uint32_t nb_workers)
{
	struct rte_eth_rss_conf conf = {.rss_key = device_key, .rss_key_len = KEY_LENGTH};

	assert_int_equal(rte_vdev_init("net_null0", NULL), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name("net_null0", &engine.port), 0);
	engine.nb_workers = nb_workers;
	weir_rss_init(&engine.rss, secret, nb_workers);
	weir_port_plan(&engine);
	assert_int_equal(engine.nb_queues, nb_workers);
	assert_int_equal(weir_port_start(&engine), 0);
	assert_int_equal(engine.nb_queues, nb_workers);
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(engine.port, &conf), 0);
	for (uint32_t i = 0; i < RTE_DIM(device_reta); i++)
		device_reta[i].mask = UINT64_MAX;
	assert_int_equal(rte_eth_dev_rss_reta_query(engine.port, device_reta, RETA_SIZE), 0);
}

static void port_down(void)
{
	rte_eth_dev_stop(engine.port);
	assert_int_equal(rte_vdev_uninit("net_null0"), 0);
}

// The queue in which the device puts a packet.
static uint32_t queue_of(const struct weir_address *source, const struct weir_address *destination,
			 uint16_t source_port, uint16_t destination_port)
{
	bool v4 = weir_address_is_v4(source);
	uint32_t words[9];
	uint32_t nb = 0;

	for (uint32_t i = v4 ? 3 : 0; i < 4; i++)
		words[nb++] = weir_host32(source->words[i]);
	for (uint32_t i = v4 ? 3 : 0; i < 4; i++)
		words[nb++] = weir_host32(destination->words[i]);
	words[nb++] = (uint32_t)source_port << 16 | destination_port;
	uint32_t at = rte_softrss(words, nb, device_key) & (RETA_SIZE - 1);
	return device_reta[at / RTE_ETH_RETA_GROUP_SIZE].reta[at % RTE_ETH_RETA_GROUP_SIZE];
}

static struct weir_address address(bool v4, uint32_t network, uint32_t host)
{
	uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, (uint8_t)network};

	if (v4)
		return weir_address_v4(weir_be32(10U << 24 | network << 16 | host));
	for (uint32_t i = 0; i < 4; i++)
		bytes[12 + i] = (uint8_t)(host >> (24 - 8 * i));
	return weir_address_v6(bytes);
}

// Every port of the range, at every worker, for members of both families.
static void replies_come_to_the_worker_that_took_the_port(uint32_t nb_workers, bool v4)
{
	static uint8_t owner_of_port[65536];
	struct weir_address snat = address(v4, 31, 7);

	for (uint32_t m = 0; m < 5; m++) {
		struct weir_address member = address(v4, 20 + m, 11 + 77 * m);
		uint16_t member_port = (uint16_t)(m % 2 == 0 ? 8080 : 443 + m);
		uint32_t given = 0;

		memset(owner_of_port, 0xff, sizeof(owner_of_port));
		for (uint32_t w = 0; w < nb_workers; w++) {
			uint32_t runs = weir_rss_reply_runs(&engine.rss, w, &member,
							    weir_be16(member_port));
			struct weir_snat_ports ports;
			struct weir_address taken;
			weir_be16_t port;

			assert_int_equal(weir_snat_ports_init(&ports, &snat, 1), 0);
			for (; weir_snat_take(&ports, 1, runs, &taken, &port) == 0; given++) {
				uint16_t host = weir_host16(port);

				assert_int_equal(owner_of_port[host], 0xff);
				owner_of_port[host] = (uint8_t)w;
				assert_int_equal(queue_of(&member, &taken, member_port, host), w);
				assert_int_equal(weir_rss_reply_owner(&engine.rss, &member,
								      weir_be16(member_port), port),
						 w);
			}
			weir_snat_ports_destroy(&ports);
		}
		assert_int_equal(given, 65536 - WEIR_SNAT_FIRST_PORT);
	}
}

// Every client port, to VIP ports that add nothing to the hash.
static void clients_come_to_their_worker(bool v4)
{
	const uint16_t vip_ports[] = {1, 80, 443, (uint16_t)((1U << (16 - engine.rss.bits)) - 1)};

	for (uint32_t port = 1; port < 65536; port++) {
		struct weir_address client =
			address(v4, port % 200, port * UINT32_C(40503) % 65536);
		struct weir_address vip = address(v4, 113, port % 254);
		uint16_t vip_port = vip_ports[port % RTE_DIM(vip_ports)];

		assert_int_equal(queue_of(&client, &vip, (uint16_t)port, vip_port),
				 weir_rss_owner(&engine.rss, &client, weir_be16((uint16_t)port)));
	}
}

static void the_device_agrees_on_every_port(void **state)
{
	const uint32_t workers[] = {2, 3, 4, 6, 8, 16};

	(void)state;
	for (uint32_t i = 0; i < RTE_DIM(workers); i++) {
		port_up(workers[i]);
		for (int v4 = 0; v4 < 2; v4++) {
			replies_come_to_the_worker_that_took_the_port(workers[i], v4);
			clients_come_to_their_worker(v4);
		}
		port_down();
	}
}

// One client's flows, and many clients' with the same port, are spread over all workers.
static void assert_spread(const uint32_t *counts, uint32_t nb_workers, uint32_t total)
{
	for (uint32_t w = 0; w < nb_workers; w++)
		assert_in_range(counts[w], total * 3 / 4 / nb_workers, total * 4 / 3 / nb_workers);
}

static void flows_are_spread_evenly(void **state)
{
	(void)state;
	for (uint32_t nb = 2; nb <= WEIR_MAX_WORKERS; nb++) {
		// Above 8 workers, 32 classes can't be divided evenly among any number.
		if (nb > 8 && (nb & (nb - 1)) != 0)
			continue;
		for (int v4 = 0; v4 < 2; v4++) {
			struct weir_rss rss;
			uint32_t by_port[WEIR_MAX_WORKERS] = {0};
			uint32_t by_even_port[WEIR_MAX_WORKERS] = {0};
			uint32_t by_host[WEIR_MAX_WORKERS] = {0};

			weir_rss_init(&rss, secret, nb);
			for (uint32_t n = 0; n < 16384; n++) {
				struct weir_address one = address(v4, 1, 1);
				struct weir_address many = address(v4, n >> 8, n * 7);

				by_port[weir_rss_owner(&rss, &one,
						       weir_be16((uint16_t)(n + 32768)))]++;
				by_host[weir_rss_owner(&rss, &many, weir_be16(40000))]++;
			}
			// What a Linux client takes one after the other.
			for (uint32_t n = 0; n < 128; n++) {
				struct weir_address one = address(v4, 1, 1);
				uint16_t port = (uint16_t)(33000 + 2 * n);

				by_even_port[weir_rss_owner(&rss, &one, weir_be16(port))]++;
			}
			assert_spread(by_even_port, nb, 128);
			assert_spread(by_port, nb, 16384);
			assert_spread(by_host, nb, 16384);
		}
	}
}

static void a_key_is_as_secret_as_its_secret(void **state)
{
	const uint64_t other[2] = {secret[0], secret[1] + 1};
	struct weir_rss a;
	struct weir_rss b;

	(void)state;
	weir_rss_init(&a, secret, 4);
	weir_rss_init(&b, secret, 4);
	assert_memory_equal(a.key, b.key, sizeof(a.key));
	weir_rss_init(&b, other, 4);
	assert_memory_not_equal(a.key, b.key, sizeof(a.key));
}

static void a_port_without_rss_gets_one_queue(void **state)
{
	(void)state;
	assert_int_equal(rte_vdev_init("net_ring0", NULL), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name("net_ring0", &engine.port), 0);
	engine.nb_workers = 4;
	weir_port_plan(&engine);
	assert_int_equal(engine.nb_queues, 1);
	assert_int_equal(weir_port_start(&engine), 0);
	for (uint32_t w = 0; w < 4; w++)
		assert_int_equal(engine.workers[w].owns_port, w == 0);
	rte_eth_dev_stop(engine.port);
	assert_int_equal(rte_vdev_uninit("net_ring0"), 0);
}

static int start_eal(void **state)
{
	static char *arguments[] = {"rss",         "--no-huge",   "-m",   "96",
				    "--no-pci",    "-l",          "0",    "--no-telemetry",
				    "--no-shconf", "--log-level", "error"};

	(void)state;
	if (rte_eal_init(RTE_DIM(arguments), arguments) < 0)
		return -1;
	engine.mbufs = rte_pktmbuf_pool_create("mbufs", 8191, 0, WEIR_MBUF_PRIVATE_SIZE,
					       RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	return engine.mbufs != NULL ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_device_agrees_on_every_port),
		cmocka_unit_test(flows_are_spread_evenly),
		cmocka_unit_test(a_key_is_as_secret_as_its_secret),
		cmocka_unit_test(a_port_without_rss_gets_one_queue),
	};

	return cmocka_run_group_tests(tests, start_eal, NULL);
}
