// SPDX-License-Identifier: Apache-2.0
import { Table, Text, Tooltip } from '@mantine/core';
import type { Member, MemberPopStatus, MemberStatus, Pool, ProjectRole } from '#/api/model';
import { StatusBadge } from '#/components/StatusBadge';
import { useLiveRates } from '#/components/use-live-rates';
import { Mono } from '#/ui/Mono';
import { RelativeTime } from '#/ui/RelativeTime';
import { type CounterRow, latestRates, type Rates } from '#/util/rates';
import { formatCount, formatQuantity, formatRtt } from '#/util/units';
import { MemberActions } from './MemberActions';

interface MemberTableProps {
  projectId: string;
  loadBalancerId: string;
  pool: Pool;
  statuses: readonly MemberStatus[];
  role: ProjectRole | undefined;
}

const byMemberAndPop = (row: CounterRow) => `${row.member_id} ${row.pop_id}`;

/** Each member as each of its PoPs sees it. */
export function MemberTable({ projectId, loadBalancerId, pool, statuses, role }: MemberTableProps) {
  const { series } = useLiveRates(projectId, loadBalancerId, byMemberAndPop);
  const tiers = new Set(pool.members.map(({ priority }) => priority)).size > 1;

  return (
    <Table.ScrollContainer minWidth={1000} type="native">
      <Table aria-label={`Members of pool ${pool.name}`}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Member</Table.Th>
            <Table.Th>PoP</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>For</Table.Th>
            <Table.Th>Last probe</Table.Th>
            <Table.Th>Address</Table.Th>
            <Table.Th ta="right">Weight</Table.Th>
            {tiers && <Table.Th ta="right">Tier</Table.Th>}
            <Table.Th ta="right">Active flows</Table.Th>
            <Table.Th ta="right">New flows</Table.Th>
            <Table.Th ta="right">Throughput</Table.Th>
            <Table.Th aria-label="Actions" w={56} />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {pool.members.map((member) => {
            const status = statuses.find(({ id }) => id === member.id);
            // A member that no PoP has reported yet still has its row.
            const pops: readonly (MemberPopStatus | undefined)[] =
              status === undefined || status.pops.length === 0 ? [undefined] : status.pops;
            return pops.map((pop, index) => (
              <Table.Tr key={`${member.id} ${pop?.pop_id ?? ''}`} aria-label={rowLabel(member, pop)}>
                {index === 0 && (
                  <Table.Td rowSpan={pops.length} fw={500}>
                    {member.name}
                  </Table.Td>
                )}
                <HealthCells pop={pop} />
                {index === 0 && <SpecCells member={member} rows={pops.length} tiers={tiers} />}
                <TrafficCells
                  pop={pop}
                  rates={
                    pop === undefined || series === undefined
                      ? undefined
                      : latestRates(series, `${member.id} ${pop.pop_id}`)
                  }
                />
                {index === 0 && (
                  <Table.Td rowSpan={pops.length} ta="right">
                    <MemberActions
                      projectId={projectId}
                      loadBalancerId={loadBalancerId}
                      pool={pool}
                      member={member}
                      activeFlows={status?.active_flows}
                      role={role}
                    />
                  </Table.Td>
                )}
              </Table.Tr>
            ));
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function HealthCells({ pop }: { pop: MemberPopStatus | undefined }) {
  if (pop === undefined) {
    return (
      <Table.Td colSpan={4}>
        <Text span size="sm" c="dimmed">
          No PoP has reported yet
        </Text>
      </Table.Td>
    );
  }
  return (
    <>
      <Table.Td>{pop.pop_name}</Table.Td>
      <Table.Td>
        <StatusBadge status={pop.operating_status} />
        {pop.drain_deadline !== undefined && (
          <Text size="xs" c="dimmed" mt={2}>
            <RelativeTime instant={pop.drain_deadline} show="left" /> left
          </Text>
        )}
      </Table.Td>
      <Table.Td>{pop.since === undefined ? '–' : <RelativeTime instant={pop.since} show="span" />}</Table.Td>
      <Table.Td>
        <ProbeOutcome pop={pop} />
      </Table.Td>
    </>
  );
}

function SpecCells({ member, rows, tiers }: { member: Member; rows: number; tiers: boolean }) {
  return (
    <>
      <Table.Td rowSpan={rows}>
        <Mono>{addressText(member)}</Mono>
      </Table.Td>
      <Table.Td rowSpan={rows} ta="right">
        {member.enabled ? (
          member.weight
        ) : (
          <Tooltip label={`Not enabled; its weight is ${member.weight}`}>
            <Text span size="sm" c="dimmed">
              off
            </Text>
          </Tooltip>
        )}
      </Table.Td>
      {tiers && (
        <Table.Td rowSpan={rows} ta="right">
          {member.priority}
        </Table.Td>
      )}
    </>
  );
}

function TrafficCells({ pop, rates }: { pop: MemberPopStatus | undefined; rates: Rates | undefined }) {
  return (
    <>
      <Table.Td ta="right">{pop === undefined ? '–' : formatCount(pop.active_flows)}</Table.Td>
      <Table.Td ta="right">{rates === undefined ? '–' : formatQuantity(rates.newFlows, 'flows/s')}</Table.Td>
      <Table.Td ta="right">
        {rates === undefined ? '–' : formatQuantity(rates.inBits + rates.outBits, 'bit/s')}
      </Table.Td>
    </>
  );
}

function ProbeOutcome({ pop }: { pop: MemberPopStatus }) {
  if (pop.reason === undefined || pop.reason === '') return '–';
  const failed = pop.operating_status === 'unhealthy';
  return (
    <Text span size="sm">
      <Text span size="sm" c={failed ? 'red' : 'inherit'} fw={failed ? 600 : 400}>
        {pop.reason}
      </Text>
      {pop.rtt_us !== undefined && pop.rtt_us > 0 && (
        <Text span size="sm" c="dimmed">
          {' '}
          {formatRtt(pop.rtt_us)}
        </Text>
      )}
    </Text>
  );
}

function rowLabel(member: Member, pop: MemberPopStatus | undefined): string {
  return pop === undefined ? member.name : `${member.name} in ${pop.pop_name}`;
}

function addressText({ address, port }: Member): string {
  const host = address.includes(':') ? `[${address}]` : address;
  switch (port.kind) {
    case 'fixed':
      return `${host}:${port.value}`;
    case 'keep':
      return address;
    case 'offset':
      return `${host}, port ${port.value < 0 ? '' : '+'}${port.value}`;
  }
}
