// SPDX-License-Identifier: Apache-2.0
import { Group, Paper, Skeleton, Table, Text, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useApi } from '#/api/ApiContext';
import type { LoadBalancer, LoadBalancerStatus } from '#/api/model';
import { statusQuery } from '#/api/queries';
import { AnchorLink } from '#/components/AnchorLink';
import { GenerationBadge } from '#/components/GenerationBadge';
import { ListenerBadges } from '#/components/ListenerBadges';
import { StatusBadge } from '#/components/StatusBadge';
import { useLiveRates } from '#/components/use-live-rates';
import { CopyText } from '#/ui/CopyText';
import { Sparkline } from '#/ui/Sparkline';
import { latestRates } from '#/util/rates';
import { formatQuantity } from '#/util/units';

interface LoadBalancerTableProps {
  projectId: string;
  loadBalancers: readonly LoadBalancer[];
}

export function LoadBalancerTable({ projectId, loadBalancers }: LoadBalancerTableProps) {
  return (
    <Paper withBorder>
      <Table.ScrollContainer minWidth={860} type="native">
        <Table highlightOnHover aria-label="Load balancers">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Status</Table.Th>
              <Table.Th>VIPs</Table.Th>
              <Table.Th>Listeners</Table.Th>
              <Table.Th>Members</Table.Th>
              <Table.Th>Generation</Table.Th>
              <Table.Th>Throughput</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {loadBalancers.map((loadBalancer) => (
              <LoadBalancerRow key={loadBalancer.id} projectId={projectId} loadBalancer={loadBalancer} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Paper>
  );
}

function LoadBalancerRow({ projectId, loadBalancer }: { projectId: string; loadBalancer: LoadBalancer }) {
  const status = useQuery(statusQuery(useApi(), projectId, loadBalancer.id, 5_000));

  return (
    <Table.Tr>
      <Table.Td maw={260}>
        <AnchorLink
          to="/projects/$projectId/load-balancers/$loadBalancerId"
          params={{ projectId, loadBalancerId: loadBalancer.id }}
          fw={600}
          size="sm"
          c="var(--mantine-color-text)"
        >
          {loadBalancer.name}
        </AnchorLink>
        {loadBalancer.description !== undefined && (
          <Text size="xs" c="dimmed" truncate>
            {loadBalancer.description}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        {status.isError ? (
          <Tooltip label={status.error.message}>
            <Text size="sm" c="red">
              unavailable
            </Text>
          </Tooltip>
        ) : status.data === undefined ? (
          <Skeleton height={18} width={80} />
        ) : (
          <StatusBadge status={status.data.operating_status} />
        )}
      </Table.Td>
      <Table.Td>
        {loadBalancer.vips.length === 0 ? (
          <Text size="sm" c="dimmed">
            none
          </Text>
        ) : (
          loadBalancer.vips.map(({ id, address }) => (
            <div key={id}>
              <CopyText value={address} />
            </div>
          ))
        )}
      </Table.Td>
      <Table.Td>
        <ListenerBadges listeners={loadBalancer.listeners} />
      </Table.Td>
      <Table.Td>
        <MemberTally status={status.data} />
      </Table.Td>
      <Table.Td>
        <GenerationBadge wanted={loadBalancer.generation} observed={status.data?.observed_generation} />
      </Table.Td>
      <Table.Td>
        <LiveRate projectId={projectId} loadBalancerId={loadBalancer.id} />
      </Table.Td>
    </Table.Tr>
  );
}

/** How many members can take new flows, of all. */
function MemberTally({ status }: { status: LoadBalancerStatus | undefined }) {
  if (status === undefined) return <Skeleton height={18} width={40} />;
  const members = status.pools.flatMap((pool) => pool.members);
  const serving = members.filter(
    ({ operating_status }) => operating_status === 'healthy' || operating_status === 'unmonitored',
  ).length;
  return (
    <Tooltip label={`${serving} of ${members.length} members take new flows everywhere`}>
      <Text span size="sm" fw={500} c={serving < members.length ? 'orange' : 'inherit'}>
        {serving}
        <Text span c="dimmed" size="sm">
          {' '}
          / {members.length}
        </Text>
      </Text>
    </Tooltip>
  );
}

function LiveRate({ projectId, loadBalancerId }: { projectId: string; loadBalancerId: string }) {
  const { series, metrics } = useLiveRates(projectId, loadBalancerId);
  const latest = series === undefined ? undefined : latestRates(series, 'total');

  if (metrics.isError && latest === undefined) {
    return (
      <Tooltip label={metrics.error.message}>
        <Text size="sm" c="red">
          unavailable
        </Text>
      </Tooltip>
    );
  }
  if (latest === undefined) return <Skeleton height={18} width={120} />;
  const history = series?.byKey.get('total') ?? [];
  return (
    <Group gap="sm" wrap="nowrap">
      <Text span size="sm" fw={500} miw={92} style={{ whiteSpace: 'nowrap' }}>
        {formatQuantity(latest.inBits + latest.outBits, 'bit/s')}
      </Text>
      <Sparkline values={history.map(({ inBits, outBits }) => inBits + outBits)} />
    </Group>
  );
}
