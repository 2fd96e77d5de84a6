// SPDX-License-Identifier: Apache-2.0
//
// Commands on DPDK's telemetry socket, which exists unless the engine was started with
// --no-telemetry. They run on a thread of DPDK's and only read counters.

#include "control/telemetry.h"

#include <string.h>

#include <rte_telemetry.h>

#include "control/control.h"

static struct weir_engine *engine;

static int status(const char *command, const char *parameters, struct rte_tel_data *data)
{
	uint64_t used = 0;
	uint64_t received = 0;
	uint64_t sent = 0;

	(void)command;
	(void)parameters;
	for (uint32_t w = 0; w < engine->nb_workers; w++) {
		used += weir_flow_table_used(&engine->workers[w].table);
		received += engine->workers[w].rx_packets;
		sent += engine->workers[w].tx_packets;
	}
	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_string(data, "version", WEIR_VERSION);
	rte_tel_data_add_dict_int(data, "ready", engine->ready);
	rte_tel_data_add_dict_int(data, "workers", (int)engine->nb_workers);
	rte_tel_data_add_dict_u64(data, "uptime_us",
				  (uint64_t)(weir_boot_us() - engine->started_us));
	rte_tel_data_add_dict_u64(data, "flows", used);
	rte_tel_data_add_dict_u64(data, "rx_packets", received);
	rte_tel_data_add_dict_u64(data, "tx_packets", sent);
	return 0;
}

// Is the load balancer the one that the command names? Without a name all are.
static bool asked(const struct weir_lb_record *lb, const char *name)
{
	return lb->used &&
	       (name == NULL || name[0] == '\0' || strncmp(lb->lb_id, name, WEIR_ID_SIZE) == 0);
}

static int counters(const char *command, const char *parameters, struct rte_tel_data *data)
{
	const struct weir_flow_file *file = &engine->file;
	struct weir_flow_counters sum = {0};

	(void)command;
	for (uint32_t id = 0; id < file->header->nb_bindings; id++) {
		const struct weir_binding_record *binding = &file->bindings[id];

		if (!binding->used || !asked(&file->lbs[binding->lb_id], parameters))
			continue;
		for (uint32_t w = 0; w < engine->nb_workers; w++) {
			const struct weir_flow_counters *c = &file->counters[w][id];

			sum.in_packets += c->in_packets;
			sum.in_bytes += c->in_bytes;
			sum.out_packets += c->out_packets;
			sum.out_bytes += c->out_bytes;
			sum.new_flows += c->new_flows;
			sum.active_flows += c->active_flows;
		}
	}
	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_u64(data, "in_packets", sum.in_packets);
	rte_tel_data_add_dict_u64(data, "in_bytes", sum.in_bytes);
	rte_tel_data_add_dict_u64(data, "out_packets", sum.out_packets);
	rte_tel_data_add_dict_u64(data, "out_bytes", sum.out_bytes);
	rte_tel_data_add_dict_u64(data, "new_flows", sum.new_flows);
	rte_tel_data_add_dict_u64(data, "active_flows",
				  sum.active_flows > 0 ? (uint64_t)sum.active_flows : 0);
	return 0;
}

static int drops(const char *command, const char *parameters, struct rte_tel_data *data)
{
	const struct weir_flow_file *file = &engine->file;

	(void)command;
	rte_tel_data_start_dict(data);
	for (unsigned int reason = 1; reason < WEIR_DROP_NB_REASONS; reason++) {
		uint64_t sum = 0;

		for (uint32_t lb = 0; lb < file->header->nb_lbs; lb++)
			for (uint32_t w = 0;
			     asked(&file->lbs[lb], parameters) && w <= engine->nb_workers; w++)
				sum += *weir_drop_counter(file, w, lb,
							  (enum weir_drop_reason)reason);
		if (sum > 0)
			rte_tel_data_add_dict_u64(data, weir_drop_reason_name(reason), sum);
	}
	return 0;
}

int weir_telemetry_register(struct weir_engine *of)
{
	engine = of;
	if (rte_telemetry_register_cmd("/weir/status", status, "The engine. No parameters.") != 0 ||
	    rte_telemetry_register_cmd("/weir/counters", counters,
				       "Packets and flows. Parameter: a load balancer's id.") !=
		    0 ||
	    rte_telemetry_register_cmd("/weir/drops", drops,
				       "Drops by reason. Parameter: a load balancer's id.") != 0)
		return -1;
	return 0;
}
