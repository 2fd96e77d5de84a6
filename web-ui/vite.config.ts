// SPDX-License-Identifier: Apache-2.0
import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// `npm run dev` talks to a running stack through the same paths that the dashboard server offers.
const stack = process.env.WEIR_DASHBOARD_URL ?? 'http://127.0.0.1:18083';

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '#': fileURLToPath(new URL('./src', import.meta.url)) } },
  // The content security policy allows no data: URLs.
  build: { assetsInlineLimit: 0, sourcemap: false, target: 'es2023', chunkSizeWarningLimit: 900 },
  server: {
    port: 18084,
    proxy: { '/v1': stack, '/config.json': stack },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['./src/test-setup.ts'],
  },
});
