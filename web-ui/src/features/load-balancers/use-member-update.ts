// SPDX-License-Identifier: Apache-2.0
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useApi } from '#/api/ApiContext';
import { bodyOf } from '#/api/client';
import type { Member, MemberUpdate, Pool } from '#/api/model';
import { loadBalancerKey } from '#/api/queries';

interface Target {
  projectId: string;
  loadBalancerId: string;
  pool: Pool;
  member: Member;
}

/** Changes one member; what the page shows of its load balancer is read again afterwards. */
export function useMemberUpdate({ projectId, loadBalancerId, pool, member }: Target, onDone: () => void) {
  const api = useApi();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (update: MemberUpdate) =>
      bodyOf(
        api.PATCH(
          '/v1/projects/{project_id}/load-balancers/{load_balancer_id}/pools/{pool_id}/members/{member_id}',
          {
            params: {
              path: {
                project_id: projectId,
                load_balancer_id: loadBalancerId,
                pool_id: pool.id,
                member_id: member.id,
              },
            },
            body: update,
          },
        ),
      ),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: loadBalancerKey(projectId, loadBalancerId) });
      onDone();
    },
  });
}
