// SPDX-License-Identifier: Apache-2.0
import type { LoadBalancer, LoadBalancerStatus } from '#/api/model';
import type { Line } from '#/ui/TimeSeriesChart';
import type { Breakdown } from '#/util/chart-search';
import { type CounterRow, noRates, type Rates, type RateSeries } from '#/util/rates';

const mostLines = 8;

/** What a row counts for under a breakdown. */
export function keyFor(by: Breakdown): (row: CounterRow) => string {
  switch (by) {
    case 'direction':
      return () => 'all';
    case 'pop':
      return (row) => row.pop_id;
    case 'listener':
      return (row) => row.listener_id;
    case 'member':
      return (row) => row.member_id;
  }
}

/** The names of PoPs, listeners and members by their ids; a removed one keeps its id as its name. */
export function namesOf(
  loadBalancer: LoadBalancer,
  status: LoadBalancerStatus | undefined,
): ReadonlyMap<string, string> {
  const onePool = loadBalancer.pools.length === 1;
  return new Map<string, string>([
    ['all', 'all'],
    ...(status?.pops ?? []).map((pop) => [pop.pop_id, pop.pop_name] as const),
    ...loadBalancer.listeners.map(({ id, name }) => [id, name] as const),
    ...loadBalancer.pools.flatMap((pool) =>
      pool.members.map(({ id, name }) => [id, onePool ? name : `${pool.name}/${name}`] as const),
    ),
  ]);
}

/**
 * One line per key in the order of their names. Beyond eight, the smallest by `pick` are summed up as "others", so that
 * the picture stays readable and still adds up.
 */
export function linesOf(
  series: RateSeries,
  names: ReadonlyMap<string, string>,
  pick: (rates: Rates) => number,
): Line[] {
  const lines = [...series.byKey].map(([key, rates]) => ({
    key,
    name: names.get(key) ?? key,
    values: rates.map(pick),
  }));
  const weight = ({ values }: Line) => values.reduce((sum, value) => sum + value, 0);
  const bySize = lines.toSorted((one, other) => weight(other) - weight(one));
  const shown = bySize.slice(0, bySize.length > mostLines ? mostLines - 1 : mostLines);
  const rest = bySize.slice(shown.length);
  shown.sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }));
  if (rest.length > 0) {
    const values = series.times.map((_, index) =>
      rest.reduce((sum, line) => sum + (line.values[index] ?? 0), 0),
    );
    shown.push({ key: 'others', name: `${rest.length} others`, values });
  }
  return shown;
}

/** The sum of all keys in the newest step. */
export function newestTotal(series: RateSeries, pick: (rates: Rates) => number): number | undefined {
  if (series.times.length === 0) return undefined;
  return [...series.byKey.values()].reduce((sum, rates) => sum + pick(rates.at(-1) ?? noRates), 0);
}
