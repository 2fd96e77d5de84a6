// SPDX-License-Identifier: Apache-2.0
import { Button, Group, Paper, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconArrowsSplit2, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '#/api/ApiContext';
import { loadBalancersQuery } from '#/api/queries';
import { ProblemAlert } from '#/components/ProblemAlert';
import { StateMessage } from '#/ui/StateMessage';
import { LoadBalancerTable } from './LoadBalancerTable';
import { ProjectTraffic } from './ProjectTraffic';

interface LoadBalancersPageProps {
  projectId: string;
  /** Shows only load balancers whose name contains it. */
  name: string;
  onNameChange: (name: string) => void;
}

/** Every load balancer of a project with what it carries now. */
export function LoadBalancersPage({ projectId, name, onNameChange }: LoadBalancersPageProps) {
  // Cursors of the pages before and up to this one.
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const page = useQuery(loadBalancersQuery(useApi(), projectId, cursors.at(-1)));
  const all = page.data?.items ?? [];
  const nextCursor = page.data?.next_cursor;
  const shown = all.filter((loadBalancer) => loadBalancer.name.includes(name.trim().toLowerCase()));

  return (
    <Stack gap="md">
      <title>Load balancers · Weir</title>
      <Group justify="space-between" align="end" gap="sm">
        <div>
          <Title order={1} size="h3">
            Load balancers
          </Title>
          <Text size="sm" c="dimmed">
            What this project runs at the edge, and what it carries now
          </Text>
        </div>
        <TextInput
          aria-label="Filter by name"
          placeholder="Filter by name"
          leftSection={<IconSearch size={16} stroke={1.6} />}
          value={name}
          w={{ base: '100%', xs: 240 }}
          onChange={(event) => onNameChange(event.currentTarget.value)}
        />
      </Group>
      <ProjectTraffic projectId={projectId} loadBalancers={page.data?.items} />
      {page.isError && (
        <ProblemAlert
          title="The load balancers could not be read"
          error={page.error}
          onRetry={() => void page.refetch()}
        />
      )}
      {page.isPending && (
        <Paper withBorder p="md" role="status" aria-label="Loading the load balancers">
          {[1, 2, 3].map((line) => (
            <Skeleton key={line} height={22} my="sm" />
          ))}
        </Paper>
      )}
      {page.isSuccess && shown.length > 0 && (
        <LoadBalancerTable projectId={projectId} loadBalancers={shown} />
      )}
      {page.isSuccess && shown.length === 0 && (
        <Paper withBorder>
          {all.length === 0 ? (
            <StateMessage icon={<IconArrowsSplit2 size={26} />} title="No load balancer yet">
              Create the first one with the API or the Terraform provider; it shows up here within seconds.
            </StateMessage>
          ) : (
            <StateMessage icon={<IconSearch size={26} />} title={`No name contains “${name}”`} />
          )}
        </Paper>
      )}
      <Group justify="end" gap="xs">
        {cursors.length > 0 && (
          <Button variant="default" onClick={() => setCursors(cursors.slice(0, -1))}>
            Previous page
          </Button>
        )}
        {nextCursor !== undefined && (
          <Button variant="default" onClick={() => setCursors([...cursors, nextCursor])}>
            Next page
          </Button>
        )}
      </Group>
    </Stack>
  );
}
