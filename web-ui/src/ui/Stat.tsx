// SPDX-License-Identifier: Apache-2.0
import { Group, Paper, Skeleton, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Stat.module.css';

interface StatProps {
  label: string;
  /** Undefined while it loads. */
  value: string | undefined;
  hint?: ReactNode;
  chart?: ReactNode;
}

/** One figure with its name: the building block of the strip on top of a page. */
export function Stat({ label, value, hint, chart }: StatProps) {
  return (
    <Paper withBorder className={classes.stat} role="group" aria-label={label}>
      <Text size="xs" c="dimmed" fw={500}>
        {label}
      </Text>
      <Group justify="space-between" align="end" wrap="nowrap" gap="xs" mih={30}>
        {value === undefined ? (
          <Skeleton height={20} width={90} my={5} />
        ) : (
          <Text className={classes.value} data-testid="stat-value">
            {value}
          </Text>
        )}
        <span className={classes.chart}>{chart}</span>
      </Group>
      <Text size="xs" c="dimmed" mih={18} component="div" lineClamp={1}>
        {hint}
      </Text>
    </Paper>
  );
}
