// SPDX-License-Identifier: Apache-2.0

/** What the address bar says about the charts: how far back, and one line per what. */
export const ranges = ['5m', '15m', '1h', '6h', '24h'] as const;
export type Range = (typeof ranges)[number];

export const breakdowns = ['direction', 'pop', 'listener', 'member'] as const;
export type Breakdown = (typeof breakdowns)[number];

export function isRange(value: unknown): value is Range {
  return ranges.some((range) => range === value);
}

export function isBreakdown(value: unknown): value is Breakdown {
  return breakdowns.some((breakdown) => breakdown === value);
}

export function rangeMs(range: Range): number {
  switch (range) {
    case '5m':
      return 5 * 60_000;
    case '15m':
      return 15 * 60_000;
    case '1h':
      return 3_600_000;
    case '6h':
      return 6 * 3_600_000;
    case '24h':
      return 24 * 3_600_000;
  }
}

/** Absent: 15 minutes, by direction, all PoPs. */
export interface ChartSearch {
  range?: Range | undefined;
  by?: Breakdown | undefined;
  /** Id of the only PoP to count. */
  pop?: string | undefined;
}
