// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { noRates, type RateSeries } from '#/util/rates';
import { linesOf, newestTotal } from './lines';

function seriesOf(values: Record<string, number[]>): RateSeries {
  const lengths = Object.values(values).map(({ length }) => length);
  return {
    times: Array.from({ length: Math.max(0, ...lengths) }, (_, index) => index * 10),
    byKey: new Map(
      Object.entries(values).map(([key, numbers]) => [
        key,
        numbers.map((newFlows) => ({ ...noRates, newFlows })),
      ]),
    ),
  };
}

it('names the lines and sorts them as people count', () => {
  const names = new Map([
    ['a', 'backend10'],
    ['b', 'backend2'],
  ]);

  const lines = linesOf(seriesOf({ a: [1], b: [2], gone: [3] }), names, ({ newFlows }) => newFlows);

  expect(lines.map(({ name }) => name)).toEqual(['backend2', 'backend10', 'gone']);
});

it('sums the smallest lines up when there are more than eight', () => {
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`m${index}`, [index, index]]));

  const lines = linesOf(seriesOf(many), new Map(), ({ newFlows }) => newFlows);

  expect(lines).toHaveLength(8);
  expect(lines.at(-1)).toEqual({ key: 'others', name: '3 others', values: [3, 3] });
});

it('the total adds up the newest step of every line', () => {
  const series = seriesOf({ a: [5, 1], b: [5, 2] });

  expect(newestTotal(series, ({ newFlows }) => newFlows)).toBe(3);
  expect(newestTotal(seriesOf({}), ({ newFlows }) => newFlows)).toBeUndefined();
});
