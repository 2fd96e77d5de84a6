// SPDX-License-Identifier: Apache-2.0
import { Group, SegmentedControl, Select, SimpleGrid, Stack, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useApi } from '#/api/ApiContext';
import type { LoadBalancer, LoadBalancerStatus } from '#/api/model';
import { metricsQuery } from '#/api/queries';
import { Freshness } from '#/components/Freshness';
import { ProblemAlert } from '#/components/ProblemAlert';
import { seriesOf } from '#/components/use-live-rates';
import { type Line, TimeSeriesChart } from '#/ui/TimeSeriesChart';
import {
  type Breakdown,
  breakdowns,
  type ChartSearch,
  isBreakdown,
  isRange,
  ranges,
} from '#/util/chart-search';
import type { Rates, RateSeries } from '#/util/rates';
import { formatQuantity } from '#/util/units';
import { keyFor, linesOf, namesOf, newestTotal } from './lines';

interface TrafficPanelProps {
  loadBalancer: LoadBalancer;
  /** For the names of PoPs; undefined while it loads. */
  status: LoadBalancerStatus | undefined;
  search: ChartSearch;
  onSearchChange: (changes: ChartSearch) => void;
}

const noSeries: RateSeries = { times: [], byKey: new Map() };

/** What a load balancer carries, live: four charts that share their time axis. */
export function TrafficPanel({ loadBalancer, status, search, onSearchChange }: TrafficPanelProps) {
  const { range = '15m', by = 'direction', pop } = search;
  const metrics = useQuery(
    metricsQuery(useApi(), useQueryClient(), loadBalancer.project_id, loadBalancer.id, range),
  );

  const series = useMemo(() => {
    const { data } = metrics;
    if (data === undefined) return undefined;
    const rows = pop === undefined ? data.rows : data.rows.filter((row) => row.pop_id === pop);
    return seriesOf({ ...data, rows }, keyFor(by));
  }, [metrics, by, pop]);
  const names = useMemo(() => namesOf(loadBalancer, status), [loadBalancer, status]);

  return (
    <Stack gap="sm" component="section" aria-label="Traffic">
      <Group justify="space-between" gap="xs">
        <Group gap="sm">
          <Title order={2} size="h5">
            Traffic
          </Title>
          <Freshness updatedAt={metrics.dataUpdatedAt} failed={metrics.failureCount > 0} />
        </Group>
        <Group gap="xs">
          <Select
            aria-label="PoP"
            size="xs"
            w={120}
            data={[
              { value: '', label: 'All PoPs' },
              ...(status?.pops ?? []).map(({ pop_id, pop_name }) => ({ value: pop_id, label: pop_name })),
            ]}
            value={pop ?? ''}
            allowDeselect={false}
            onChange={(value) => onSearchChange({ pop: value === null || value === '' ? undefined : value })}
          />
          <Select
            aria-label="One line per"
            size="xs"
            w={140}
            data={breakdowns.map((value) => ({ value, label: breakdownLabel(value) }))}
            value={by}
            allowDeselect={false}
            onChange={(value) => {
              if (isBreakdown(value)) onSearchChange({ by: value });
            }}
          />
          <SegmentedControl
            aria-label="Time range"
            size="xs"
            data={[...ranges]}
            value={range}
            onChange={(value) => {
              if (isRange(value)) onSearchChange({ range: value });
            }}
          />
        </Group>
      </Group>
      {metrics.isError && (
        <ProblemAlert
          title="The counters could not be read"
          error={metrics.error}
          onRetry={() => void metrics.refetch()}
        />
      )}
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        <RateChart
          title="Throughput"
          unit="bit/s"
          series={series}
          names={names}
          by={by}
          pick={bits}
          split={bitsByWay}
        />
        <RateChart
          title="Packets"
          unit="packets/s"
          series={series}
          names={names}
          by={by}
          pick={packets}
          split={packetsByWay}
        />
        <RateChart title="New flows" unit="flows/s" series={series} names={names} by={by} pick={newFlows} />
        <RateChart title="Active flows" unit="" series={series} names={names} by={by} pick={activeFlows} />
      </SimpleGrid>
    </Stack>
  );
}

type Pick = (rates: Rates) => number;

const bits: Pick = ({ inBits, outBits }) => inBits + outBits;
const packets: Pick = ({ inPackets, outPackets }) => inPackets + outPackets;
const newFlows: Pick = (rates) => rates.newFlows;
const activeFlows: Pick = (rates) => rates.activeFlows;

/** The two ways that packets go: towards members and back to clients. */
interface Ways {
  inward: Pick;
  outward: Pick;
}

const bitsByWay: Ways = { inward: ({ inBits }) => inBits, outward: ({ outBits }) => outBits };
const packetsByWay: Ways = { inward: ({ inPackets }) => inPackets, outward: ({ outPackets }) => outPackets };

interface RateChartProps {
  title: string;
  unit: string;
  series: RateSeries | undefined;
  names: ReadonlyMap<string, string>;
  by: Breakdown;
  pick: Pick;
  split?: Ways;
}

function RateChart({ title, unit, series = noSeries, names, by, pick, split }: RateChartProps) {
  const lines = useMemo((): Line[] => {
    if (by !== 'direction') return linesOf(series, names, pick);
    const all = series.byKey.get('all') ?? [];
    return split === undefined
      ? [{ key: 'all', name: 'all', values: all.map(pick) }]
      : [
          { key: 'in', name: 'to members', values: all.map(split.inward) },
          { key: 'out', name: 'to clients', values: all.map(split.outward) },
        ];
  }, [series, names, by, pick, split]);
  const format = useMemo(() => (value: number) => formatQuantity(value, unit), [unit]);
  const newest = newestTotal(series, pick);

  return (
    <TimeSeriesChart
      title={title}
      headline={newest === undefined ? undefined : format(newest)}
      times={series.times}
      lines={lines}
      format={format}
      formatTick={formatTick}
      syncKey="traffic"
    />
  );
}

/** `2 M`, `1.5 k`, `300`. */
function formatTick(value: number): string {
  return formatQuantity(value, '')
    .replace(/(\.\d*?)0+(?!\d)/, '$1')
    .replace(/\.(?!\d)/, '');
}

function breakdownLabel(by: Breakdown): string {
  switch (by) {
    case 'direction':
      return 'By direction';
    case 'pop':
      return 'By PoP';
    case 'listener':
      return 'By listener';
    case 'member':
      return 'By member';
  }
}
