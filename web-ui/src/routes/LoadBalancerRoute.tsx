// SPDX-License-Identifier: Apache-2.0
import { Button, Skeleton, Stack } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useApi } from '#/api/ApiContext';
import { ProblemError } from '#/api/errors';
import type { Pool } from '#/api/model';
import { loadBalancerQuery, projectsQuery, statusQuery } from '#/api/queries';
import { ProblemAlert } from '#/components/ProblemAlert';
import { ListenerTable } from '#/features/load-balancers/ListenerTable';
import { LoadBalancerHeader } from '#/features/load-balancers/LoadBalancerHeader';
import { PoolPanel } from '#/features/load-balancers/PoolPanel';
import { TrafficPanel } from '#/features/metrics/TrafficPanel';
import { RolloutPanel } from '#/features/rollout/RolloutPanel';
import { StateMessage } from '#/ui/StateMessage';

const from = '/projects/$projectId/load-balancers/$loadBalancerId';

/** One load balancer: what it is, what it carries, how healthy it is, and how far its newest generation has come. */
export function LoadBalancerRoute() {
  const { projectId, loadBalancerId } = useParams({ from });
  const search = useSearch({ from });
  const navigate = useNavigate({ from });
  const api = useApi();
  const spec = useQuery(loadBalancerQuery(api, projectId, loadBalancerId));
  const status = useQuery(statusQuery(api, projectId, loadBalancerId));
  const projects = useQuery(projectsQuery(api));
  const role = projects.data?.items.find(({ id }) => id === projectId)?.role;

  if (spec.error instanceof ProblemError && spec.error.status === 404) {
    return (
      <StateMessage
        icon={<IconMapOff size={26} />}
        title="There is no such load balancer"
        action={
          <Button component={Link} to={`/projects/${projectId}/load-balancers`} variant="default" mt="sm">
            Go to the load balancers
          </Button>
        }
      >
        It may have been deleted, or it belongs to another project.
      </StateMessage>
    );
  }
  if (spec.data === undefined) {
    return spec.isError ? (
      <ProblemAlert
        title="The load balancer could not be read"
        error={spec.error}
        onRetry={() => void spec.refetch()}
      />
    ) : (
      <Stack role="status" aria-label="Loading the load balancer">
        <Skeleton height={96} />
        <Skeleton height={400} />
        <Skeleton height={200} />
      </Stack>
    );
  }
  return (
    <Stack gap="md">
      <LoadBalancerHeader loadBalancer={spec.data} status={status.data} />
      {spec.isError && <ProblemAlert title="The load balancer could not be read again" error={spec.error} />}
      {status.isError && (
        <ProblemAlert
          title="The status could not be read"
          error={status.error}
          onRetry={() => void status.refetch()}
        />
      )}
      <TrafficPanel
        loadBalancer={spec.data}
        status={status.data}
        search={search}
        onSearchChange={(changes) =>
          void navigate({
            search: (before) => ({ ...before, ...changes }),
            replace: true,
            resetScroll: false,
          })
        }
      />
      {monitoredFirst(spec.data.pools).map((pool) => (
        <PoolPanel
          key={pool.id}
          projectId={projectId}
          loadBalancerId={loadBalancerId}
          pool={pool}
          status={status.data?.pools.find(({ id }) => id === pool.id)}
          role={role}
        />
      ))}
      <ListenerTable loadBalancer={spec.data} status={status.data} />
      <RolloutPanel projectId={projectId} loadBalancerId={loadBalancerId} />
    </Stack>
  );
}

/** What probes watch can be unhealthy, so it comes first; else in the API's order. */
function monitoredFirst(pools: readonly Pool[]): Pool[] {
  const unmonitored = (pool: Pool) => (pool.health_monitor === undefined ? 1 : 0);
  return pools.toSorted((one, other) => unmonitored(one) - unmonitored(other));
}
