// SPDX-License-Identifier: Apache-2.0
import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import type { OperatingStatus } from '#/api/model';
import { renderView } from '#/test-render';
import { GenerationBadge } from './GenerationBadge';
import { StatusBadge } from './StatusBadge';

it.each<[OperatingStatus, string]>([
  ['healthy', 'Healthy'],
  ['degraded', 'Degraded'],
  ['unhealthy', 'Unhealthy'],
  ['unmonitored', 'Unmonitored'],
  ['draining', 'Draining'],
  ['disabled', 'Disabled'],
  ['unknown', 'Unknown'],
])('says %s in a word', (status, word) => {
  renderView(<StatusBadge status={status} />);

  expect(screen.getByText(word)).toBeDefined();
});

it('a generation that runs everywhere is marked as applied', () => {
  renderView(<GenerationBadge wanted={7} observed={7} />);

  expect(screen.getByText('7')).toBeDefined();
  expect(screen.getByLabelText('applied')).toBeDefined();
});

it('a generation on its way shows both numbers', () => {
  renderView(<GenerationBadge wanted={7} observed={6} />);

  expect(screen.getByText('6 → 7')).toBeDefined();
  expect(screen.getByLabelText('rolling out')).toBeDefined();
});
