// SPDX-License-Identifier: Apache-2.0
import { SimpleGrid } from '@mantine/core';
import type { LoadBalancer } from '#/api/model';
import { useSummedRates } from '#/components/use-live-rates';
import { Sparkline } from '#/ui/Sparkline';
import { Stat } from '#/ui/Stat';
import { latestRates, type Rates } from '#/util/rates';
import { formatQuantity } from '#/util/units';

interface ProjectTrafficProps {
  projectId: string;
  /** Undefined while they load. */
  loadBalancers: readonly LoadBalancer[] | undefined;
}

/** What the listed load balancers carry together. */
export function ProjectTraffic({ projectId, loadBalancers }: ProjectTrafficProps) {
  const series = useSummedRates(projectId, loadBalancers?.map(({ id }) => id) ?? []);
  const none = loadBalancers?.length === 0;
  const latest = series === undefined ? undefined : latestRates(series, 'total');
  const history = series?.byKey.get('total') ?? [];

  const figure = (label: string, unit: string, pick: (rates: Rates) => number, hint: string) => (
    <Stat
      label={label}
      value={
        none ? formatQuantity(0, unit) : latest === undefined ? undefined : formatQuantity(pick(latest), unit)
      }
      hint={hint}
      chart={<Sparkline values={history.map(pick)} />}
    />
  );

  return (
    <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm" role="group" aria-label="Traffic of the project">
      {figure('Throughput', 'bit/s', ({ inBits, outBits }) => inBits + outBits, 'both directions')}
      {figure(
        'Packets',
        'packets/s',
        ({ inPackets, outPackets }) => inPackets + outPackets,
        'both directions',
      )}
      {figure('New flows', 'flows/s', ({ newFlows }) => newFlows, 'all listeners')}
      {figure('Active flows', '', ({ activeFlows }) => activeFlows, 'all PoPs')}
    </SimpleGrid>
  );
}
