// SPDX-License-Identifier: Apache-2.0
import { Badge, Group, Stack, Text, Title } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { LoadBalancer, LoadBalancerStatus } from '#/api/model';
import { AnchorLink } from '#/components/AnchorLink';
import { GenerationBadge } from '#/components/GenerationBadge';
import { StatusBadge } from '#/components/StatusBadge';
import { CopyText } from '#/ui/CopyText';
import { RelativeTime } from '#/ui/RelativeTime';
import classes from './LoadBalancerHeader.module.css';

interface LoadBalancerHeaderProps {
  loadBalancer: LoadBalancer;
  /** Undefined while it loads. */
  status: LoadBalancerStatus | undefined;
}

/** What a load balancer is, in one glance. */
export function LoadBalancerHeader({ loadBalancer, status }: LoadBalancerHeaderProps) {
  return (
    <Stack gap="xs">
      <title>{`${loadBalancer.name} · Weir`}</title>
      <Group component="nav" aria-label="Breadcrumb" gap={4}>
        <AnchorLink
          to="/projects/$projectId/load-balancers"
          params={{ projectId: loadBalancer.project_id }}
          size="sm"
          c="dimmed"
        >
          Load balancers
        </AnchorLink>
        <IconChevronRight size={14} color="var(--mantine-color-dimmed)" aria-hidden />
        <Text size="sm" aria-current="page">
          {loadBalancer.name}
        </Text>
      </Group>
      <Group gap="sm">
        <Title order={1} size="h3">
          {loadBalancer.name}
        </Title>
        {status !== undefined && <StatusBadge status={status.operating_status} size="lg" />}
        {!loadBalancer.enabled && (
          <Badge color="gray" variant="outline" radius="sm" tt="none">
            not enabled
          </Badge>
        )}
        {loadBalancer.description !== undefined && (
          <Text size="sm" c="dimmed">
            {loadBalancer.description}
          </Text>
        )}
      </Group>
      <dl className={classes.facts}>
        <Fact name="VIPs">
          {loadBalancer.vips.length === 0
            ? 'none attached'
            : loadBalancer.vips.map(({ id, address }) => <CopyText key={id} value={address} />)}
        </Fact>
        <Fact name="Generation">
          <GenerationBadge wanted={loadBalancer.generation} observed={status?.observed_generation} />
        </Fact>
        <Fact name="Placement">{placementText(loadBalancer, status)}</Fact>
        {(status?.pops ?? []).map((pop) => (
          <Fact key={pop.pop_id} name={pop.pop_name}>
            <StatusBadge status={pop.operating_status} size="sm" />
          </Fact>
        ))}
        <Fact name="Changed">
          <RelativeTime instant={loadBalancer.updated_at} />
        </Fact>
        {Object.keys(loadBalancer.labels).length > 0 && (
          <Fact name="Labels">
            <Group gap={4}>
              {Object.entries(loadBalancer.labels).map(([key, value]) => (
                <Badge key={key} variant="default" radius="sm" tt="none" fw={500} size="sm">
                  {key}={value}
                </Badge>
              ))}
            </Group>
          </Fact>
        )}
      </dl>
    </Stack>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function placementText({ placement }: LoadBalancer, status: LoadBalancerStatus | undefined): string {
  switch (placement.kind) {
    case 'all':
      return 'all PoPs';
    case 'named': {
      const names = new Map((status?.pops ?? []).map(({ pop_id, pop_name }) => [pop_id, pop_name]));
      const ids = placement.pop_ids ?? [];
      return ids.length === 0 ? 'no PoP' : ids.map((id) => names.get(id) ?? id).join(', ');
    }
    case 'labels':
      return `PoPs with ${Object.entries(placement.labels ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(', ')}`;
  }
}
