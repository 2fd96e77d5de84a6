// SPDX-License-Identifier: Apache-2.0
import { Select, Skeleton, Text } from '@mantine/core';
import { IconSelector } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useApi } from '#/api/ApiContext';
import { projectsQuery } from '#/api/queries';
import { rememberProject } from './last-project';

/** Names the project of the page and moves to another one. */
export function ProjectSwitcher() {
  const projects = useQuery(projectsQuery(useApi()));
  const { projectId } = useParams({ strict: false });
  const navigate = useNavigate();

  if (projects.isPending) return <Skeleton height={32} width={180} aria-label="Loading the projects" />;
  if (projects.isError) {
    return (
      <Text size="sm" c="red" truncate>
        Projects unavailable
      </Text>
    );
  }
  const items = projects.data.items;
  if (items.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        No project
      </Text>
    );
  }
  return (
    <Select
      aria-label="Project"
      w={190}
      miw={90}
      data={items.map(({ id, name }) => ({ value: id, label: name }))}
      value={items.some(({ id }) => id === projectId) ? (projectId ?? null) : null}
      placeholder="Choose a project"
      searchable={items.length > 8}
      allowDeselect={false}
      comboboxProps={{ shadow: 'md' }}
      rightSection={<IconSelector size={16} stroke={1.6} />}
      onChange={(chosen) => {
        if (chosen === null) return;
        rememberProject(chosen);
        void navigate({ to: '/projects/$projectId/load-balancers', params: { projectId: chosen } });
      }}
    />
  );
}
