// SPDX-License-Identifier: Apache-2.0
import { Center, Loader } from '@mantine/core';
import { IconFolderOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApi } from '#/api/ApiContext';
import { projectsQuery } from '#/api/queries';
import { ProblemAlert } from '#/components/ProblemAlert';
import { StateMessage } from '#/ui/StateMessage';
import { preferredProject } from './last-project';

/** Hands the project to open to `children`, or says why there is none. */
export function ProjectChoice({ children }: { children: (projectId: string) => ReactNode }) {
  const projects = useQuery(projectsQuery(useApi()));

  if (projects.isPending) {
    return (
      <Center py={80} role="status" aria-label="Loading the projects">
        <Loader />
      </Center>
    );
  }
  if (projects.isError) {
    return (
      <ProblemAlert
        title="The projects could not be read"
        error={projects.error}
        onRetry={() => void projects.refetch()}
      />
    );
  }
  const projectId = preferredProject(projects.data.items.map(({ id }) => id));
  if (projectId === undefined) {
    return (
      <StateMessage icon={<IconFolderOff size={26} />} title="No project yet">
        You hold no role in any project. Someone who administers one can grant you a role; the first one is
        granted by the operator.
      </StateMessage>
    );
  }
  return children(projectId);
}
