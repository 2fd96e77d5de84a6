// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import type { Metrics } from './model';
import { joined } from './queries';

const noon = Date.parse('2026-01-01T12:00:00Z');

function at(second: number): string {
  return new Date(noon + second * 1000).toISOString();
}

function metrics(from: number, to: number, rows: [second: number, newFlows: number][]): Metrics {
  return {
    load_balancer_id: 'lb_1',
    from: at(from),
    to: at(to),
    step_s: 10,
    rows: rows.map(([second, newFlows]) => ({
      time: at(second),
      pop_id: 'pop_1',
      listener_id: 'lst_1',
      member_id: 'mbr_1',
      in_packets: 0,
      in_bytes: 0,
      out_packets: 0,
      out_bytes: 0,
      new_flows: newFlows,
      ended_fin: 0,
      ended_rst: 0,
      ended_timeout: 0,
      ended_evicted: 0,
      active_flows: 0,
    })),
  };
}

function shape({ from, to, rows }: Metrics) {
  return { from, to, rows: rows.map(({ time, new_flows }) => [time, new_flows]) };
}

it('the tail replaces what was known from its start on, and the oldest rows are forgotten', () => {
  const before = metrics(0, 35, [
    [0, 1],
    [10, 2],
    [30, 3],
  ]);
  const tail = metrics(20, 45, [
    [30, 4],
    [40, 5],
  ]);

  const result = joined(before, tail, noon + 10_000);

  expect(shape(result)).toEqual({
    from: at(10),
    to: at(45),
    rows: [
      [at(10), 2],
      [at(30), 4],
      [at(40), 5],
    ],
  });
});

it('after a pause longer than the tail the window begins where something is known', () => {
  const result = joined(metrics(0, 30, [[0, 1]]), metrics(60, 90, [[60, 2]]), noon + 60_000);

  expect(shape(result)).toEqual({ from: at(60), to: at(90), rows: [[at(60), 2]] });
});
