// SPDX-License-Identifier: Apache-2.0
import type { Page } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Keeps a picture of the page where `WEIR_SCREENSHOT_DIR` is set. */
export async function keepScreenshot(page: Page, name: string, fullPage = false): Promise<void> {
  const directory = process.env.WEIR_SCREENSHOT_DIR;
  if (directory === undefined || directory === '') return;
  mkdirSync(directory, { recursive: true });
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(directory, `${name}.png`), fullPage, animations: 'disabled' });
}
