// SPDX-License-Identifier: Apache-2.0
import { Group, Text } from '@mantine/core';
import { RelativeTime } from '#/ui/RelativeTime';
import classes from './Freshness.module.css';

interface FreshnessProps {
  /** Unix time in milliseconds of the newest read; 0: none yet. */
  updatedAt: number;
  /** The newest attempt failed. */
  failed: boolean;
}

/** Whether the figures move, and how old they are when they do not. */
export function Freshness({ updatedAt, failed }: FreshnessProps) {
  if (updatedAt === 0) return null;
  return (
    <Group gap={6} wrap="nowrap" role="status" aria-live="off">
      <span className={failed ? classes.stale : classes.live} aria-hidden />
      <Text size="xs" c="dimmed">
        {failed ? (
          <>
            as of <RelativeTime instant={new Date(updatedAt).toISOString()} />
          </>
        ) : (
          'live'
        )}
      </Text>
    </Group>
  );
}
