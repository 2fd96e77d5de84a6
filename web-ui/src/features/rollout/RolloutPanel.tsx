// SPDX-License-Identifier: Apache-2.0
import { Alert, Badge, Group, Paper, Progress, Skeleton, Table, Text, Title, Tooltip } from '@mantine/core';
import { IconClockPause, IconServerOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useApi } from '#/api/ApiContext';
import type { NodeRollout, NodeRolloutState, Rollout } from '#/api/model';
import { rolloutQuery } from '#/api/queries';
import { ProblemAlert } from '#/components/ProblemAlert';
import { RelativeTime } from '#/ui/RelativeTime';
import { StateMessage } from '#/ui/StateMessage';
import { formatMilliseconds } from '#/util/units';

/** How far the newest generation has come, node by node. */
export function RolloutPanel({ projectId, loadBalancerId }: { projectId: string; loadBalancerId: string }) {
  const rollout = useQuery(rolloutQuery(useApi(), projectId, loadBalancerId));

  return (
    <Paper withBorder component="section" aria-label="Rollout">
      <Group justify="space-between" px="md" pt="md" pb="xs" gap="xs">
        <Title order={2} size="h5">
          Rollout
        </Title>
        {rollout.data !== undefined && <RolloutTimes rollout={rollout.data} />}
      </Group>
      {rollout.isError && (
        <ProblemAlert
          title="The rollout could not be read"
          error={rollout.error}
          onRetry={() => void rollout.refetch()}
        />
      )}
      {rollout.isPending && (
        <div role="status" aria-label="Loading the rollout">
          <Skeleton height={90} m="md" w="auto" />
        </div>
      )}
      {rollout.data !== undefined && <RolloutBody rollout={rollout.data} />}
    </Paper>
  );
}

function RolloutTimes({ rollout }: { rollout: Rollout }) {
  const { committed_at: committedAt, published_at: publishedAt } = rollout;
  if (committedAt === undefined) return null;
  return (
    <Text size="xs" c="dimmed">
      Generation {rollout.generation} stored <RelativeTime instant={committedAt} />
      {publishedAt !== undefined &&
        `, published ${formatMilliseconds(Math.max(0, Date.parse(publishedAt) - Date.parse(committedAt)))} later`}
    </Text>
  );
}

function RolloutBody({ rollout }: { rollout: Rollout }) {
  const { totals, nodes } = rollout;
  if (nodes.length === 0) {
    return (
      <StateMessage icon={<IconServerOff size={26} />} title="No node runs this load balancer">
        Its placement matches no PoP that has nodes.
      </StateMessage>
    );
  }
  const share = (count: number) => (totals.placed === 0 ? 0 : (count / totals.placed) * 100);
  const states: [NodeRolloutState, number][] = [
    ['applied', totals.applied],
    ['pending', totals.pending],
    ['rejected', totals.rejected],
    ['unreachable', totals.unreachable],
  ];
  const counted = states.filter(([, count]) => count > 0);
  return (
    <>
      {rollout.publishing_delayed && (
        <Alert
          color="yellow"
          mx="md"
          mb="sm"
          icon={<IconClockPause size={20} />}
          title="Publishing is delayed"
        >
          The change is stored and will reach the edge as soon as it can be published. Traffic goes on as
          before.
        </Alert>
      )}
      <Group px="md" pb="xs" gap="md">
        <Progress.Root size={8} radius="xl" flex={1} miw={160} aria-hidden>
          {counted.map(([state, count]) => (
            <Progress.Section key={state} value={share(count)} color={colorOf(state)} />
          ))}
        </Progress.Root>
        <Text size="sm" fw={500}>
          {counted.map(([state, count]) => `${count} ${state}`).join(', ')}
        </Text>
      </Group>
      <Table.ScrollContainer minWidth={720} type="native">
        <Table aria-label="Nodes">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Node</Table.Th>
              <Table.Th>PoP</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Runs</Table.Th>
              <Table.Th>
                <Tooltip label="From the commit of the change to the engine's acknowledgement">
                  <span>Lag</span>
                </Tooltip>
              </Table.Th>
              <Table.Th>Applied</Table.Th>
              <Table.Th>Last seen</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {nodes.map((node) => (
              <NodeRow key={node.node_id} node={node} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

function NodeRow({ node }: { node: NodeRollout }) {
  const behind = node.applied_generation < node.desired_generation;
  return (
    <Table.Tr>
      <Table.Td>
        <Text span size="sm" fw={500}>
          {node.node_name}
        </Text>
      </Table.Td>
      <Table.Td>{node.pop_name}</Table.Td>
      <Table.Td>
        <Badge variant="dot" color={colorOf(node.state)} radius="sm" tt="none" fw={600}>
          {node.state}
        </Badge>
        {node.code !== undefined && (
          <Text size="xs" c="red" mt={2} maw={360} style={{ whiteSpace: 'normal' }}>
            {node.code}
            {node.reason !== undefined && `: ${node.reason}`}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Text span size="sm" c={behind ? 'orange' : 'inherit'}>
          {node.applied_generation === 0 ? 'none' : node.applied_generation}
          {behind && ` → ${node.desired_generation}`}
        </Text>
      </Table.Td>
      <Table.Td>{node.lag_ms === undefined ? '–' : formatMilliseconds(node.lag_ms)}</Table.Td>
      <Table.Td>{node.applied_at === undefined ? '–' : <RelativeTime instant={node.applied_at} />}</Table.Td>
      <Table.Td>
        {node.last_seen_at === undefined ? 'never' : <RelativeTime instant={node.last_seen_at} />}
      </Table.Td>
    </Table.Tr>
  );
}

function colorOf(state: NodeRolloutState): string {
  switch (state) {
    case 'applied':
      return 'teal';
    case 'pending':
      return 'yellow';
    case 'rejected':
      return 'red';
    case 'unreachable':
      return 'gray';
  }
}
