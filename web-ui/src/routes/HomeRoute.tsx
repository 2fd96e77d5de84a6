// SPDX-License-Identifier: Apache-2.0
import { Navigate } from '@tanstack/react-router';
import { ProjectChoice } from '#/features/projects/ProjectChoice';

/** Opens the project that was used last, or the first one that one may see. */
export function HomeRoute() {
  return (
    <ProjectChoice>
      {(projectId) => <Navigate to="/projects/$projectId/load-balancers" params={{ projectId }} replace />}
    </ProjectChoice>
  );
}
