// SPDX-License-Identifier: Apache-2.0
import { expect, type Page } from '@playwright/test';

export interface Person {
  user: string;
  password: string;
}

/** Someone with a role in the sample project `acme`. */
export function alice(): Person {
  return { user: process.env.WEIR_E2E_USER ?? 'alice@acme.example', password: required('WEIR_E2E_PASSWORD') };
}

/** Someone of another tenant, with a role in `globex` only. */
export function bob(): Person {
  return {
    user: process.env.WEIR_E2E_OTHER_USER ?? 'bob@globex.example',
    password: process.env.WEIR_E2E_OTHER_PASSWORD ?? required('WEIR_E2E_PASSWORD'),
  };
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`Set ${name}: the sample users' password.`);
  return value;
}

/** Opens a page, logs in through Keycloak's two pages, and waits until the dashboard is back. */
export async function logIn(page: Page, { user, password }: Person, path = '/'): Promise<void> {
  await page.goto(path);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('#username').fill(user);
  await page.locator('[type=submit]').click();
  await page.locator('#password').fill(password);
  await page.locator('[type=submit]').click();
  await expect(page.getByRole('button', { name: 'Account' })).toBeVisible();
}
