// SPDX-License-Identifier: Apache-2.0
import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { renderWithApi } from '#/test-render';
import { LoadBalancersPage } from './LoadBalancersPage';

function page() {
  return <LoadBalancersPage projectId="prj_1" name="" onNameChange={() => undefined} />;
}

it('a project without load balancers says how to get one', async () => {
  renderWithApi(page(), () => Response.json({ items: [] }));

  expect(await screen.findByRole('heading', { name: 'No load balancer yet' })).toBeDefined();
});

it('shows that it is loading before the answer is there', () => {
  renderWithApi(page(), () => new Promise<Response>(() => undefined));

  expect(screen.getByRole('status', { name: 'Loading the load balancers' })).toBeDefined();
});

it("a refusal shows the API's detail and code, and trying again recovers", async () => {
  let away = true;
  renderWithApi(page(), () =>
    away
      ? Response.json(
          { code: 'DATABASE_UNAVAILABLE', title: 'Away', status: 503, detail: 'The database is away.' },
          { status: 503, headers: { 'Retry-After': '2' } },
        )
      : Response.json({ items: [] }),
  );

  const alert = await screen.findByRole('alert', { name: 'The load balancers could not be read' });
  expect(alert.textContent).toContain('The database is away.');
  expect(alert.textContent).toContain('DATABASE_UNAVAILABLE');
  away = false;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));

  expect(await screen.findByRole('heading', { name: 'No load balancer yet' })).toBeDefined();
});
