// SPDX-License-Identifier: Apache-2.0
import { Badge, Group, Tooltip } from '@mantine/core';
import type { Listener } from '#/api/model';

/** `80`, `8000–8099, 9000`. */
export function portsText(ranges: Listener['port_ranges']): string {
  return ranges.map(({ first, last }) => (first === last ? String(first) : `${first}–${last}`)).join(', ');
}

/** Each listener as protocol and ports. */
export function ListenerBadges({ listeners }: { listeners: readonly Listener[] }) {
  return (
    <Group gap={4} wrap="nowrap">
      {listeners.map((listener) => (
        <Tooltip
          key={listener.id}
          label={`Listener ${listener.name} → pool ${listener.pool_name}${listener.enabled ? '' : ' (disabled)'}`}
        >
          <Badge
            variant={listener.enabled ? 'default' : 'outline'}
            color="gray"
            radius="sm"
            tt="none"
            fw={500}
            ff="monospace"
            td={listener.enabled ? 'none' : 'line-through'}
          >
            {listener.protocol} {portsText(listener.port_ranges)}
          </Badge>
        </Tooltip>
      ))}
    </Group>
  );
}
