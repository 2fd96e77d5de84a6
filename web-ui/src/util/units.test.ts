// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { formatCount, formatMilliseconds, formatQuantity, formatRtt } from './units';

describe('formatQuantity', () => {
  it.each([
    [0, 'bit/s', '0 bit/s'],
    [999, 'bit/s', '999 bit/s'],
    [999.6, 'bit/s', '1.00 kbit/s'],
    [1_234_567, 'bit/s', '1.23 Mbit/s'],
    [99_960, 'bit/s', '100 kbit/s'],
    [12.34, 'packets/s', '12.3 packets/s'],
    [45_600, 'packets/s', '45.6 k packets/s'],
    [3, '', '3'],
    [2_500_000_000_000_000, 'bit/s', '2500 Tbit/s'],
  ])('writes %d %s as %s', (value, unit, text) => {
    expect(formatQuantity(value, unit)).toBe(text);
  });
});

describe('formatRtt', () => {
  it('changes from microseconds to milliseconds at one millisecond', () => {
    expect([999, 1000, 12_345].map(formatRtt)).toEqual(['999 µs', '1.00 ms', '12.3 ms']);
  });
});

describe('formatCount', () => {
  it('separates thousands', () => {
    expect(formatCount(1_234_567.4)).toBe('1,234,567');
  });
});

describe('formatMilliseconds', () => {
  it('keeps two digits that matter and changes to seconds', () => {
    expect([0.42, 41.8, 999.4, 999.6, 1234, 61_000].map(formatMilliseconds)).toEqual([
      '0.4 ms',
      '42 ms',
      '999 ms',
      '1.0 s',
      '1.2 s',
      '61 s',
    ]);
  });
});
