// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { formatSince, formatSpan } from './time';

it.each([
  [-5, '0 s'],
  [999, '0 s'],
  [59_000, '59 s'],
  [250_000, '4 min 10 s'],
  [7_200_000, '2 h'],
  [7_505_000, '2 h 5 min'],
  [273_600_000, '3 d 4 h'],
])('a span of %d ms reads %s', (milliseconds, text) => {
  expect(formatSpan(milliseconds)).toBe(text);
});

it('an instant in this very second, or ahead by clock skew, is just now', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  expect(formatSince('2026-01-01T00:00:02Z', now)).toBe('just now');
  expect(formatSince('2025-12-31T23:59:00Z', now)).toBe('1 min ago');
});
