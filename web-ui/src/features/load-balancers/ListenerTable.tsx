// SPDX-License-Identifier: Apache-2.0
import { Group, Paper, Table, Text, Title } from '@mantine/core';
import { IconEarOff } from '@tabler/icons-react';
import type { Listener, LoadBalancer, LoadBalancerStatus } from '#/api/model';
import { portsText } from '#/components/ListenerBadges';
import { StatusBadge } from '#/components/StatusBadge';
import { useLiveRates } from '#/components/use-live-rates';
import { Mono } from '#/ui/Mono';
import { StateMessage } from '#/ui/StateMessage';
import { type CounterRow, latestRates } from '#/util/rates';
import { formatSpan } from '#/util/time';
import { formatQuantity } from '#/util/units';

interface ListenerTableProps {
  loadBalancer: LoadBalancer;
  status: LoadBalancerStatus | undefined;
}

const byListener = (row: CounterRow) => row.listener_id;

/** What a load balancer listens on, and where that goes. */
export function ListenerTable({ loadBalancer, status }: ListenerTableProps) {
  const { series } = useLiveRates(loadBalancer.project_id, loadBalancer.id, byListener);

  return (
    <Paper withBorder component="section" aria-label="Listeners">
      <Title order={2} size="h5" px="md" pt="md" pb="xs">
        Listeners
      </Title>
      {loadBalancer.listeners.length === 0 ? (
        <StateMessage icon={<IconEarOff size={26} />} title="No listener">
          Without one, no packet is accepted.
        </StateMessage>
      ) : (
        <Table.ScrollContainer minWidth={760} type="native">
          <Table aria-label="Listeners">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>Port</Table.Th>
                <Table.Th>Status</Table.Th>
                <Table.Th>Pool</Table.Th>
                <Table.Th>Flows</Table.Th>
                <Table.Th>Sources</Table.Th>
                <Table.Th ta="right">New flows</Table.Th>
                <Table.Th ta="right">Throughput</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {loadBalancer.listeners.map((listener) => {
                const rates = series === undefined ? undefined : latestRates(series, listener.id);
                const operating = status?.listeners.find(({ id }) => id === listener.id);
                return (
                  <Table.Tr key={listener.id}>
                    <Table.Td fw={500}>{listener.name}</Table.Td>
                    <Table.Td>
                      <Mono>
                        {listener.protocol} {portsText(listener.port_ranges)}
                      </Mono>
                    </Table.Td>
                    <Table.Td>
                      <Group gap={6}>
                        {operating !== undefined && <StatusBadge status={operating.operating_status} />}
                        {!listener.enabled && (
                          <Text size="xs" c="dimmed">
                            not enabled
                          </Text>
                        )}
                      </Group>
                    </Table.Td>
                    <Table.Td>{listener.pool_name}</Table.Td>
                    <Table.Td>
                      {listener.flow_tracking}, idle {formatSpan(listener.idle_timeout_s * 1000)}
                    </Table.Td>
                    <Table.Td>{sourcesText(listener)}</Table.Td>
                    <Table.Td ta="right">
                      {rates === undefined ? '–' : formatQuantity(rates.newFlows, 'flows/s')}
                    </Table.Td>
                    <Table.Td ta="right">
                      {rates === undefined ? '–' : formatQuantity(rates.inBits + rates.outBits, 'bit/s')}
                    </Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Paper>
  );
}

function sourcesText({ allowed_cidrs, denied_cidrs }: Listener): string {
  const allowed = allowed_cidrs.length === 0 ? 'all' : `${allowed_cidrs.length} allowed`;
  return denied_cidrs.length === 0 ? allowed : `${allowed}, ${denied_cidrs.length} denied`;
}
