// SPDX-License-Identifier: Apache-2.0

#include "main/port.h"

#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>

#include "main/log.h"

enum { NB_DESCRIPTORS = 512, MAX_RETA = 4096, USUAL_KEY_LENGTH = 40 };

#define RSS_NEEDED                                                                                 \
	(RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP |                             \
	 RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP)
// What else is spread: errors and fragments, which find their worker by ring.
#define RSS_WELCOME (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6)

// Devices that have no length of their own take the usual one.
static uint8_t key_length(const struct rte_eth_dev_info *info)
{
	return info->hash_key_size != 0 ? info->hash_key_size : USUAL_KEY_LENGTH;
}

static bool rss_fits(const struct rte_eth_dev_info *info, uint32_t nb_workers)
{
	return (info->flow_type_rss_offloads & RSS_NEEDED) == RSS_NEEDED &&
	       info->max_rx_queues >= nb_workers && info->max_tx_queues >= nb_workers &&
	       // A power of two, so that the index is the hash's low bits.
	       info->reta_size >= WEIR_RSS_CLASSES && info->reta_size <= MAX_RETA &&
	       (info->reta_size & (info->reta_size - 1)) == 0 &&
	       key_length(info) >= USUAL_KEY_LENGTH && key_length(info) <= WEIR_RSS_KEY_LENGTH;
}

void weir_port_plan(struct weir_engine *engine)
{
	struct rte_eth_dev_info info;

	engine->nb_queues = 1;
	if (engine->nb_workers > 1 && rte_eth_dev_info_get(engine->port, &info) == 0 &&
	    rss_fits(&info, engine->nb_workers))
		engine->nb_queues = (uint16_t)engine->nb_workers;
}

static struct rte_eth_rss_conf rss_conf(const struct rte_eth_dev_info *info, uint8_t *key)
{
	return (struct rte_eth_rss_conf){
		.rss_key = key,
		.rss_key_len = key_length(info),
		.rss_hf = RSS_NEEDED | (RSS_WELCOME & info->flow_type_rss_offloads),
	};
}

static int configure(struct weir_engine *engine, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = {0};

	if (engine->nb_queues > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf = rss_conf(info, engine->rss.key);
	}
	return rte_eth_dev_configure(engine->port, engine->nb_queues, engine->nb_queues, &conf);
}

static int set_up_queues(struct weir_engine *engine)
{
	uint16_t nb_rx = NB_DESCRIPTORS;
	uint16_t nb_tx = NB_DESCRIPTORS;
	unsigned int socket = (unsigned int)rte_eth_dev_socket_id(engine->port);
	int ret = rte_eth_dev_adjust_nb_rx_tx_desc(engine->port, &nb_rx, &nb_tx);

	for (uint16_t queue = 0; ret == 0 && queue < engine->nb_queues; queue++) {
		ret = rte_eth_rx_queue_setup(engine->port, queue, nb_rx, socket, NULL,
					     engine->mbufs);
		if (ret == 0)
			ret = rte_eth_tx_queue_setup(engine->port, queue, nb_tx, socket, NULL);
	}
	return ret;
}

static int write_reta(const struct weir_engine *engine, uint16_t size)
{
	struct rte_eth_rss_reta_entry64 reta[MAX_RETA / RTE_ETH_RETA_GROUP_SIZE] = {0};

	for (uint32_t i = 0; i < size; i++) {
		struct rte_eth_rss_reta_entry64 *group = &reta[i / RTE_ETH_RETA_GROUP_SIZE];

		group->mask |= UINT64_C(1) << i % RTE_ETH_RETA_GROUP_SIZE;
		group->reta[i % RTE_ETH_RETA_GROUP_SIZE] =
			engine->rss.worker_of[i & ((1U << engine->rss.bits) - 1)];
	}
	return rte_eth_dev_rss_reta_update(engine->port, reta, size);
}

// Some devices take the key when they are configured, others when it is updated; and one may keep a
// key of its own, or hash less than it says. What it has in the end is what counts.
static int write_key(struct weir_engine *engine, const struct rte_eth_dev_info *info)
{
	struct rte_eth_rss_conf wanted = rss_conf(info, engine->rss.key);
	uint8_t key[WEIR_RSS_KEY_LENGTH] = {0};
	struct rte_eth_rss_conf got = {.rss_key = key, .rss_key_len = key_length(info)};

	(void)rte_eth_dev_rss_hash_update(engine->port, &wanted);
	int ret = rte_eth_dev_rss_hash_conf_get(engine->port, &got);
	if (ret == 0 && ((got.rss_hf & RSS_NEEDED) != RSS_NEEDED ||
			 memcmp(key, engine->rss.key, key_length(info)) != 0))
		ret = -ENOTSUP;
	return ret;
}

static int start(struct weir_engine *engine, const struct rte_eth_dev_info *info)
{
	int ret = configure(engine, info);

	if (ret == 0)
		ret = set_up_queues(engine);
	if (ret == 0)
		ret = rte_eth_dev_start(engine->port);
	if (ret != 0 || engine->nb_queues == 1)
		return ret;
	ret = write_reta(engine, info->reta_size);
	return ret == 0 ? write_key(engine, info) : ret;
}

int weir_port_start(struct weir_engine *engine)
{
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(engine->port, &info);

	if (ret == 0)
		ret = start(engine, &info);
	if (ret != 0 && engine->nb_queues > 1) {
		weir_warn("the port's RSS can't be set, one worker receives for all: port=%u "
			  "error=%s",
			  engine->port, strerror(-ret));
		(void)rte_eth_dev_stop(engine->port);
		engine->nb_queues = 1;
		ret = start(engine, &info);
	}
	for (uint32_t w = 0; w < engine->nb_workers; w++) {
		engine->workers[w].owns_port = w < engine->nb_queues;
		engine->workers[w].queue = (uint16_t)(w < engine->nb_queues ? w : 0);
	}
	return ret == 0 ? rte_eth_macaddr_get(engine->port, &engine->mac) : ret;
}
