// SPDX-License-Identifier: Apache-2.0
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import type { Member, Pool, ProjectRole } from '#/api/model';
import { renderWithApi } from '#/test-render';
import { MemberActions } from './MemberActions';

const member: Member = {
  id: 'mbr_1',
  name: 'backend1',
  address: '10.1.20.11',
  port: { kind: 'fixed', value: 8080 },
  weight: 100,
  enabled: true,
  priority: 0,
  pop_ids: [],
};

const pool: Pool = {
  id: 'pool_1',
  name: 'web',
  algorithm: 'maglev',
  forwarding_mode: 'dnat',
  drain_timeout_s: 300,
  slow_start_s: 0,
  when_all_unhealthy: 'open',
  on_unhealthy: 'keep',
  minimum_healthy: 1,
  proxy_protocol_v2: false,
  flow_sync: false,
  members: [member, { ...member, id: 'mbr_2', name: 'backend2' }],
};

interface Call {
  method: string;
  path: string;
  body: unknown;
}

function renderActions(
  answer: Response,
  role: ProjectRole = 'maintainer',
  changes: Partial<Member> = {},
): Call[] {
  const calls: Call[] = [];
  renderWithApi(
    <MemberActions
      projectId="prj_1"
      loadBalancerId="lb_1"
      pool={pool}
      member={{ ...member, ...changes }}
      activeFlows={12}
      role={role}
    />,
    async (request) => {
      calls.push({ method: request.method, path: new URL(request.url).pathname, body: await request.json() });
      return answer;
    },
  );
  return calls;
}

it('drains a member only after it was confirmed', async () => {
  const calls = renderActions(Response.json({ ...member, enabled: false }));

  await userEvent.click(screen.getByRole('button', { name: 'Change backend1' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Drain…' }));
  const dialog = await screen.findByRole('dialog', { name: 'Drain backend1?' });
  expect(dialog.textContent).toContain('Its 12 active flows may finish; what is left after 5 min is cut.');
  expect(calls).toEqual([]);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Drain' }));

  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(calls).toEqual([
    {
      method: 'PATCH',
      path: '/v1/projects/prj_1/load-balancers/lb_1/pools/pool_1/members/mbr_1',
      body: { enabled: false },
    },
  ]);
});

it('takes a drained member back', async () => {
  const calls = renderActions(Response.json(member), 'maintainer', { enabled: false });

  await userEvent.click(screen.getByRole('button', { name: 'Change backend1' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Take back…' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Take back' }));

  await waitFor(() => expect(calls.map(({ body }) => body)).toEqual([{ enabled: true }]));
});

it('tells the share that a weight would get, and changes it', async () => {
  const calls = renderActions(Response.json({ ...member, weight: 25 }));

  await userEvent.click(screen.getByRole('button', { name: 'Change backend1' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Change the weight…' }));
  const field = await screen.findByRole('textbox', { name: 'Weight' });
  await userEvent.clear(field);
  await userEvent.type(field, '25');

  expect(screen.getByText(/About 20 % of the pool's new flows/)).toBeDefined();
  await userEvent.click(screen.getByRole('button', { name: 'Change' }));

  await waitFor(() => expect(calls.map(({ body }) => body)).toEqual([{ weight: 25 }]));
});

it("a refused change shows the API's code and reason and keeps the dialog open", async () => {
  renderActions(
    Response.json(
      { code: 'TENANT_SUSPENDED', title: 'Suspended', status: 403, detail: 'The tenant is suspended.' },
      { status: 403 },
    ),
  );

  await userEvent.click(screen.getByRole('button', { name: 'Change backend1' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: 'Drain…' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Drain' }));

  const alert = await screen.findByRole('alert', { name: 'The member was not drained' });
  expect(alert.textContent).toContain('The tenant is suspended.');
  expect(alert.textContent).toContain('TENANT_SUSPENDED');
});

it('a viewer reads why the actions are off', async () => {
  renderActions(Response.json(member), 'viewer');

  const button = screen.getByRole('button', { name: 'Change backend1' });
  await userEvent.click(button);

  expect(button.getAttribute('aria-disabled')).toBe('true');
  expect(button.getAttribute('aria-description')).toContain('needs the role maintainer');
  expect(screen.queryByRole('menu')).toBeNull();
});
