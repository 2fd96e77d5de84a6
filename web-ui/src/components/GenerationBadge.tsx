// SPDX-License-Identifier: Apache-2.0
import { Group, Loader, Text, Tooltip } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';

interface GenerationBadgeProps {
  wanted: number;
  /** Undefined while it is not known. */
  observed: number | undefined;
}

/** Whether the edge runs what was asked: `7 ✓`, or `6 → 7` while it catches up. */
export function GenerationBadge({ wanted, observed }: GenerationBadgeProps) {
  if (observed === undefined) {
    return (
      <Text span size="sm" c="dimmed">
        {wanted}
      </Text>
    );
  }
  if (observed >= wanted) {
    return (
      <Tooltip label={`All reachable nodes run generation ${wanted}`}>
        <Group component="span" gap={4} wrap="nowrap" display="inline-flex">
          <Text span size="sm" fw={500}>
            {wanted}
          </Text>
          <IconCheck size={15} color="var(--mantine-color-teal-6)" aria-label="applied" />
        </Group>
      </Tooltip>
    );
  }
  return (
    <Tooltip
      label={`Generation ${wanted} is wanted; the edge runs ${observed === 0 ? 'none yet' : observed}`}
    >
      <Group component="span" gap={6} wrap="nowrap" display="inline-flex" c="orange">
        <Text span size="sm" fw={600}>
          {observed} → {wanted}
        </Text>
        <Loader size={12} color="orange" aria-label="rolling out" />
      </Group>
    </Tooltip>
  );
}
