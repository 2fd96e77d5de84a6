// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from '@playwright/test';

/** Runs against a stack that is up; nothing is started or faked here. */
export default defineConfig({
  testDir: 'tests/e2e',
  workers: 1,
  forbidOnly: true,
  timeout: 240_000,
  expect: { timeout: 45_000 },
  reporter: [['list']],
  use: {
    actionTimeout: 40_000,
    navigationTimeout: 40_000,
    baseURL: process.env.WEIR_DASHBOARD_URL ?? 'http://127.0.0.1:18083',
    viewport: { width: 1280, height: 900 },
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.WEIR_CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
