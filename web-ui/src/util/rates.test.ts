// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { type CounterRow, latestRates, ratesOver } from './rates';

const from = Date.parse('2026-01-01T12:00:00Z');

function row(second: number, changes: Partial<CounterRow> = {}): CounterRow {
  return {
    time: new Date(from + second * 1000).toISOString(),
    pop_id: 'pop_1',
    listener_id: 'lst_1',
    member_id: 'mbr_1',
    in_packets: 100,
    in_bytes: 1000,
    out_packets: 50,
    out_bytes: 20_000,
    new_flows: 20,
    active_flows: 3,
    ...changes,
  };
}

function windowOf(seconds: number) {
  return { fromMs: from, toMs: from + seconds * 1000, stepS: 10 };
}

it('turns counters of a step into rates per second and sums what shares a key', () => {
  const series = ratesOver([row(0), row(0, { pop_id: 'pop_2' })], windowOf(16), () => 'all');

  expect(series.times).toEqual([from / 1000]);
  expect(series.byKey.get('all')).toEqual([
    { inBits: 1600, outBits: 32_000, inPackets: 20, outPackets: 10, newFlows: 4, activeFlows: 6 },
  ]);
});

it('keeps one series per key', () => {
  const series = ratesOver(
    [row(0), row(10, { pop_id: 'pop_2', new_flows: 10 })],
    windowOf(26),
    ({ pop_id }) => pop_id,
  );

  expect(series.byKey.get('pop_1')?.map(({ newFlows }) => newFlows)).toEqual([2, 0]);
  expect(series.byKey.get('pop_2')?.map(({ newFlows }) => newFlows)).toEqual([0, 1]);
});

it('a step that may still grow is left out', () => {
  const series = ratesOver([row(0), row(10)], windowOf(25), () => 'all');

  expect(series.times).toHaveLength(1);
});

it('the latest rate is zero when the newest step counted nothing', () => {
  const series = ratesOver([row(0)], windowOf(36), () => 'all');

  expect(latestRates(series, 'all')?.inBits).toBe(0);
  expect(latestRates(series, 'other')?.inBits).toBe(0);
});

it('there is no latest rate before the first step settled', () => {
  expect(
    latestRates(
      ratesOver([row(0)], windowOf(9), () => 'all'),
      'all',
    ),
  ).toBeUndefined();
});

it('rows outside the window do not count', () => {
  const series = ratesOver([row(-10), row(40)], windowOf(26), () => 'all');

  expect(series.byKey.size).toBe(0);
});
