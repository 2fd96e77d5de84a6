// SPDX-License-Identifier: Apache-2.0
import { expect, type Locator, type Page, test } from '@playwright/test';
import { expectPositive, numberIn } from './figures';
import { alice, bob, logIn } from './people';
import { keepScreenshot } from './screenshots';

const sample = 'web';

async function openSample(page: Page): Promise<void> {
  await logIn(page, alice());
  await page
    .getByRole('table', { name: 'Load balancers' })
    .getByRole('link', { name: sample, exact: true })
    .click();
  await expect(page.getByRole('heading', { name: sample, level: 1 })).toBeVisible();
}

function chart(page: Page, title: string): Locator {
  return page.getByRole('region', { name: title, exact: true }).getByTestId('headline');
}

test('the list shows that the sample load balancer is healthy and carries traffic', async ({ page }) => {
  await logIn(page, alice());

  await expect(page.getByRole('combobox', { name: 'Project' })).toHaveValue('acme');
  const row = page
    .getByRole('table', { name: 'Load balancers' })
    .getByRole('row')
    .filter({ has: page.getByRole('link', { name: sample, exact: true }) });
  await expect(row.getByText('Healthy')).toBeVisible({ timeout: 45_000 });
  await expect(row.getByLabel('applied')).toBeVisible();
  await expect(row.getByRole('button', { name: /^Copy \d+\.\d+\.\d+\.\d+$/ })).toBeVisible();
  await expectPositive(row.getByRole('cell').last());
  await expectPositive(page.getByRole('group', { name: 'New flows', exact: true }).getByTestId('stat-value'));
  await keepScreenshot(page, 'load-balancers');
});

test('the page of a load balancer shows live rates, healthy members and applied nodes', async ({ page }) => {
  await openSample(page);

  await expect(page).toHaveTitle(`${sample} · Weir`);
  for (const title of ['Throughput', 'Packets', 'New flows']) {
    await expectPositive(chart(page, title));
  }
  const members = page.getByRole('row', { name: / in pop\d+$/ });
  await expect(members.first()).toBeVisible();
  const count = await members.count();
  expect(count).toBeGreaterThan(1);
  await expect(members.filter({ hasText: /Healthy|Unmonitored/ })).toHaveCount(count, { timeout: 45_000 });
  await expect(members.filter({ hasText: /connected\s*[\d.]+ (µs|ms)/ }).first()).toBeVisible();
  const nodes = page
    .getByRole('table', { name: 'Nodes' })
    .getByRole('row')
    .filter({ has: page.getByRole('cell') });
  await expect(nodes.first()).toBeVisible();
  await expect(nodes.filter({ hasText: 'applied' })).toHaveCount(await nodes.count());
  await page.setViewportSize({ width: 1280, height: 1080 });
  await page.getByRole('radiogroup', { name: 'Time range' }).getByText('5m', { exact: true }).click();
  await expectPositive(chart(page, 'New flows'));
  await keepScreenshot(page, 'dashboard');
});

test('rates move on without a reload, and can be told apart by member', async ({ page }) => {
  await openSample(page);
  await expectPositive(chart(page, 'New flows'));

  const reads: string[] = [];
  page.on('response', (response) => {
    if (response.url().includes('/metrics?') && response.ok()) reads.push(response.url());
  });
  await expect.poll(() => reads.length, { timeout: 20_000 }).toBeGreaterThan(2);
  await page.getByRole('combobox', { name: 'One line per' }).click();
  await page.getByRole('option', { name: 'By member' }).click();

  await expect(page).toHaveURL(/by=member/);
  const lines = page.getByRole('region', { name: 'New flows', exact: true }).getByRole('listitem');
  await expect.poll(() => lines.count()).toBeGreaterThan(1);
  const figures = (await lines.allInnerTexts()).map((text) => numberIn(text.split('\n').at(-1) ?? ''));
  expect(Math.max(...figures)).toBeGreaterThan(0);
});

test('a new weight reaches the edge and comes back as the observed generation', async ({ page }) => {
  await openSample(page);
  const pool = page.getByRole('table', { name: /^Members of pool / }).first();
  const button = pool.getByRole('button', { name: /^Change / }).first();
  const generation = page.locator('dl').getByText('Generation').locator('xpath=following-sibling::dd');
  await expect(generation.getByLabel('applied')).toBeVisible();
  const before = numberIn(await generation.innerText());

  await button.click();
  await page.getByRole('menuitem', { name: 'Change the weight…' }).click();
  const field = page.getByRole('textbox', { name: 'Weight' });
  const original = await field.inputValue();
  const other = original === '90' ? '80' : '90';
  await field.fill(other);
  await page.getByRole('dialog').getByRole('button', { name: 'Change', exact: true }).click();

  try {
    await expect(page.getByRole('dialog')).toBeHidden();
    await expect(pool.getByRole('cell', { name: other, exact: true })).toBeVisible();
    await expect(generation).toHaveText(String(before + 1));
    await expect(generation.getByLabel('applied')).toBeVisible();
  } finally {
    await button.click();
    await page.getByRole('menuitem', { name: 'Change the weight…' }).click();
    await field.fill(original);
    await page.getByRole('dialog').getByRole('button', { name: 'Change', exact: true }).click();
    await expect(page.getByRole('dialog')).toBeHidden();
  }
});

test('someone of another tenant sees nothing of it', async ({ page, browser }) => {
  await openSample(page);
  const address = new URL(page.url());
  const stranger = await (await browser.newContext()).newPage();

  await logIn(stranger, bob());

  await expect(stranger.getByRole('combobox', { name: 'Project' })).toHaveValue('globex');
  await stranger.getByRole('combobox', { name: 'Project' }).click();
  await expect(stranger.getByRole('option')).toHaveText(['globex']);
  await expect(stranger.getByRole('link', { name: sample, exact: true })).toBeHidden();
  await stranger.goto(address.href);
  await expect(stranger.getByRole('heading', { name: 'There is no such load balancer' })).toBeVisible();
  await stranger.goto(new URL('.', address).href.replace(/\/$/, ''));
  await expect(stranger.getByRole('alert')).toContainText(/NOT_FOUND/);
});

test('a link opens its own page after log-in, and logging out ends the session', async ({
  page,
  browser,
}) => {
  await openSample(page);
  const address = `${page.url()}?range=5m`;
  const other = await (await browser.newContext()).newPage();

  await logIn(other, alice(), address);

  await expect(other).toHaveURL(/range=(%22)?5m/);
  await expect(other.getByRole('heading', { name: sample, level: 1 })).toBeVisible();
  await other.getByRole('button', { name: 'Account' }).click();
  await other.getByRole('menuitem', { name: 'Log out' }).click();
  await expect(other.getByRole('button', { name: 'Log in' })).toBeVisible();
  await other.goto(address);
  await expect(other.getByRole('button', { name: 'Log in' })).toBeVisible();
});

test('on a phone nothing but the tables scrolls sideways', async ({ browser }) => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  const page = await context.newPage();

  await openSample(page);

  await expect(page.getByRole('table', { name: 'Nodes' })).toBeVisible();
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBe(0);
  await keepScreenshot(page, 'dashboard-phone', true);
});
