// SPDX-License-Identifier: Apache-2.0
import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useApi } from '#/api/ApiContext';
import type { Metrics } from '#/api/model';
import { metricsQuery } from '#/api/queries';
import { type CounterRow, type RateSeries, ratesOver } from '#/util/rates';

const everyMs = 5_000;

const total = () => 'total';

/** Rates of the last five minutes, by the key that `keyOf` gives each row; keep `keyOf` stable. */
export function useLiveRates(
  projectId: string,
  loadBalancerId: string,
  keyOf: (row: CounterRow) => string = total,
) {
  const metrics = useQuery(
    metricsQuery(useApi(), useQueryClient(), projectId, loadBalancerId, '5m', everyMs),
  );
  const series = useMemo(() => seriesOf(metrics.data, keyOf), [metrics.data, keyOf]);
  return { series, metrics };
}

/** The sum over several load balancers; undefined until all of them are known. */
export function useSummedRates(
  projectId: string,
  loadBalancerIds: readonly string[],
): RateSeries | undefined {
  const api = useApi();
  const queryClient = useQueryClient();
  return useQueries({
    queries: loadBalancerIds.map((id) => metricsQuery(api, queryClient, projectId, id, '5m', everyMs)),
    combine: (results) => {
      const known = results.flatMap(({ data }) => (data === undefined ? [] : [data]));
      const newest = known.at(-1);
      if (newest === undefined || known.length < loadBalancerIds.length) return undefined;
      // The reads are moments apart: the window ends with the one that ends first.
      const to = known.map((metrics) => metrics.to).sort()[0] ?? newest.to;
      return seriesOf({ ...newest, to, rows: known.flatMap(({ rows }) => rows) }, total);
    },
  });
}

export function seriesOf(
  metrics: Metrics | undefined,
  keyOf: (row: CounterRow) => string,
): RateSeries | undefined {
  if (metrics === undefined) return undefined;
  const window = { fromMs: Date.parse(metrics.from), toMs: Date.parse(metrics.to), stepS: metrics.step_s };
  return ratesOver(metrics.rows, window, keyOf);
}
