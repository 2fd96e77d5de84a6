// SPDX-License-Identifier: Apache-2.0
import { Group, Paper, Text, Title } from '@mantine/core';
import { IconServerOff } from '@tabler/icons-react';
import type { Pool, PoolStatus, ProjectRole } from '#/api/model';
import { StatusBadge } from '#/components/StatusBadge';
import { StateMessage } from '#/ui/StateMessage';
import { formatSpan } from '#/util/time';
import { formatMilliseconds } from '#/util/units';
import { MemberTable } from './MemberTable';

interface PoolPanelProps {
  projectId: string;
  loadBalancerId: string;
  pool: Pool;
  /** Undefined while it loads, or when the pool is newer than the status. */
  status: PoolStatus | undefined;
  /** The reader's role; undefined while it loads. */
  role: ProjectRole | undefined;
}

/** A pool: how it spreads flows, how it probes, and each of its members. */
export function PoolPanel({ projectId, loadBalancerId, pool, status, role }: PoolPanelProps) {
  return (
    <Paper withBorder component="section" aria-label={`Pool ${pool.name}`}>
      <Group justify="space-between" px="md" pt="md" pb="xs" gap="xs">
        <Group gap="sm">
          <Title order={2} size="h5">
            Pool {pool.name}
          </Title>
          {status !== undefined && <StatusBadge status={status.operating_status} />}
        </Group>
        <Text size="xs" c="dimmed">
          {pool.algorithm.replaceAll('_', ' ')} · {pool.forwarding_mode} · {monitorText(pool)} · drains for{' '}
          {formatSpan(pool.drain_timeout_s * 1000)}
        </Text>
      </Group>
      {pool.members.length === 0 ? (
        <StateMessage icon={<IconServerOff size={26} />} title="No member">
          New flows to this pool are dropped.
        </StateMessage>
      ) : (
        <MemberTable
          projectId={projectId}
          loadBalancerId={loadBalancerId}
          pool={pool}
          statuses={status?.members ?? []}
          role={role}
        />
      )}
    </Paper>
  );
}

function monitorText({ health_monitor: monitor }: Pool): string {
  if (monitor === undefined) return 'no health monitor';
  const port = monitor.port === undefined ? '' : ` to port ${monitor.port}`;
  return `${monitor.type.replaceAll('_', ' ')}${port} each ${formatMilliseconds(monitor.interval_ms)}, rise ${monitor.rise}, fall ${monitor.fall}`;
}
