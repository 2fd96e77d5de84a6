// SPDX-License-Identifier: Apache-2.0
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { LoadBalancersPage } from '#/features/load-balancers/LoadBalancersPage';

const from = '/projects/$projectId/load-balancers';

export function LoadBalancersRoute() {
  const { projectId } = useParams({ from });
  const { name = '' } = useSearch({ from });
  const navigate = useNavigate({ from });

  return (
    <LoadBalancersPage
      key={projectId}
      projectId={projectId}
      name={name}
      onNameChange={(next) => void navigate({ search: next === '' ? {} : { name: next }, replace: true })}
    />
  );
}
