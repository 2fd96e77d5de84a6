// SPDX-License-Identifier: Apache-2.0

/** The counters of one PoP, listener and member in one step; the API leaves out rows in which nothing was counted. */
export interface CounterRow {
  /** Start of the step, RFC 3339. */
  time: string;
  pop_id: string;
  listener_id: string;
  member_id: string;
  in_packets: number;
  in_bytes: number;
  out_packets: number;
  out_bytes: number;
  new_flows: number;
  /** A gauge at the end of the step. */
  active_flows: number;
}

/** Rates per second over one step, summed over rows; `activeFlows` is a number of flows. */
export interface Rates {
  inBits: number;
  outBits: number;
  inPackets: number;
  outPackets: number;
  newFlows: number;
  activeFlows: number;
}

export interface RateSeries {
  /** Start of each step, Unix time in seconds. */
  times: number[];
  /** One entry per time, for each key that has any row. */
  byKey: Map<string, Rates[]>;
}

export interface Window {
  /** Unix time in milliseconds. */
  fromMs: number;
  toMs: number;
  stepS: number;
}

/** How long after its end a step may still grow: nodes report each few seconds, and reports travel. */
const settleMs = 6_000;

export const noRates: Rates = {
  inBits: 0,
  outBits: 0,
  inPackets: 0,
  outPackets: 0,
  newFlows: 0,
  activeFlows: 0,
};

/**
 * Sums rows into evenly spaced steps, one series per key. A step without rows is 0, not a gap; steps that may still
 * grow are left out, so that the newest point never shows a dip that is none.
 */
export function ratesOver(
  rows: readonly CounterRow[],
  window: Window,
  keyOf: (row: CounterRow) => string,
): RateSeries {
  const stepMs = window.stepS * 1000;
  const first = Math.ceil(window.fromMs / stepMs) * stepMs;
  const end = Math.floor((window.toMs - settleMs) / stepMs) * stepMs;
  const steps = Math.max(0, Math.round((end - first) / stepMs));
  const times = Array.from({ length: steps }, (_, index) => (first + index * stepMs) / 1000);
  const byKey = new Map<string, Rates[]>();
  for (const row of rows) {
    const index = Math.floor((Date.parse(row.time) - first) / stepMs);
    if (index < 0 || index >= steps) continue;
    const key = keyOf(row);
    let series = byKey.get(key);
    if (series === undefined) {
      series = times.map(() => ({ ...noRates }));
      byKey.set(key, series);
    }
    const rates = series[index];
    if (rates !== undefined) add(rates, row, window.stepS);
  }
  return { times, byKey };
}

function add(rates: Rates, row: CounterRow, stepS: number): void {
  rates.inBits += (row.in_bytes * 8) / stepS;
  rates.outBits += (row.out_bytes * 8) / stepS;
  rates.inPackets += row.in_packets / stepS;
  rates.outPackets += row.out_packets / stepS;
  rates.newFlows += row.new_flows / stepS;
  rates.activeFlows += row.active_flows;
}

/** The newest step of one key; all zero when nothing was counted for it, undefined when no step has settled yet. */
export function latestRates(series: RateSeries, key: string): Rates | undefined {
  if (series.times.length === 0) return undefined;
  return series.byKey.get(key)?.at(-1) ?? noRates;
}
