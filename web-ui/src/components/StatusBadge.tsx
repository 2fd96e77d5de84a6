// SPDX-License-Identifier: Apache-2.0
import { Badge, Tooltip } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleMinus,
  IconCircleX,
  IconEyeOff,
  IconHourglassLow,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { OperatingStatus } from '#/api/model';

interface Look {
  label: string;
  color: string;
  icon: ReactNode;
  meaning: string;
}

const icon = { size: 14, stroke: 2, 'aria-hidden': true } as const;

function lookOf(status: OperatingStatus): Look {
  switch (status) {
    case 'healthy':
      return {
        label: 'Healthy',
        color: 'teal',
        icon: <IconCircleCheck {...icon} />,
        meaning: 'Serves, and its probes succeed',
      };
    case 'degraded':
      return {
        label: 'Degraded',
        color: 'orange',
        icon: <IconAlertTriangle {...icon} />,
        meaning: 'Serves, but some members are unhealthy',
      };
    case 'unhealthy':
      return {
        label: 'Unhealthy',
        color: 'red',
        icon: <IconCircleX {...icon} />,
        meaning: 'Its probes fail',
      };
    case 'unmonitored':
      return {
        label: 'Unmonitored',
        color: 'blue',
        icon: <IconEyeOff {...icon} />,
        meaning: 'No health monitor, so it counts as healthy',
      };
    case 'draining':
      return {
        label: 'Draining',
        color: 'yellow',
        icon: <IconHourglassLow {...icon} />,
        meaning: 'Gets no new flows; existing ones finish',
      };
    case 'disabled':
      return {
        label: 'Disabled',
        color: 'gray',
        icon: <IconCircleMinus {...icon} />,
        meaning: 'Gets no new flows and has none left',
      };
    case 'unknown':
      return {
        label: 'Unknown',
        color: 'gray',
        icon: <IconCircleDashed {...icon} />,
        meaning: 'The edge has not reported yet',
      };
  }
}

/** An operating status in a word, a colour and a shape. */
export function StatusBadge({ status, size = 'md' }: { status: OperatingStatus; size?: 'sm' | 'md' | 'lg' }) {
  const look = lookOf(status);
  return (
    <Tooltip label={look.meaning}>
      <Badge
        variant="light"
        color={look.color}
        size={size}
        leftSection={look.icon}
        tt="none"
        fw={600}
        radius="sm"
      >
        {look.label}
      </Badge>
    </Tooltip>
  );
}
