// SPDX-License-Identifier: Apache-2.0
import { expect, type Locator } from '@playwright/test';

const factors: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** The number in a figure as the dashboard writes it: `1.23 Mbit/s` → 1230000. NaN when there is none. */
export function numberIn(text: string): number {
  const match = /(-?[\d.,]+)\s?(?:([kMGT])(?=bit\/s|\s|$))?/.exec(text);
  if (match === null) return Number.NaN;
  return Number((match[1] ?? '').replaceAll(',', '')) * (factors[match[2] ?? ''] ?? Number.NaN);
}

/** Waits until a figure on the page is above zero. */
export async function expectPositive(figure: Locator): Promise<void> {
  await expect
    .poll(async () => numberIn(await figure.innerText()), {
      message: 'a figure above zero',
      timeout: 45_000,
    })
    .toBeGreaterThan(0);
}
