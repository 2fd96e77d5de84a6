// SPDX-License-Identifier: Apache-2.0
import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import { ProblemError } from '#/api/errors';
import { renderView } from '#/test-render';
import { ProblemAlert } from './ProblemAlert';

it("shows the API's detail, its code and every faulty field", () => {
  const error = new ProblemError({
    status: 422,
    code: 'INVALID_BODY',
    title: 'Invalid body',
    detail: 'The body has a fault.',
    faults: [{ pointer: '/weight', detail: 'must be at most 256' }],
    retryAfterS: 4,
  });

  renderView(<ProblemAlert error={error} title="The weight was not changed" />);

  const alert = screen.getByRole('alert', { name: 'The weight was not changed' });
  expect(alert.textContent).toContain('The body has a fault.');
  expect(alert.textContent).toContain('/weight must be at most 256');
  expect(alert.textContent).toContain('INVALID_BODY');
  expect(alert.textContent).toContain('Try again in 4 s.');
});

it('retries when asked to', async () => {
  let retries = 0;

  renderView(
    <ProblemAlert error={new TypeError('Failed to fetch')} title="No list" onRetry={() => (retries += 1)} />,
  );
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));

  expect(retries).toBe(1);
});
