// SPDX-License-Identifier: Apache-2.0
import { MantineProvider } from '@mantine/core';
import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import '@mantine/core/styles.css';
import './global.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { AuthProvider } from 'react-oidc-context';
import { createApi } from '#/api/client';
import { ProblemError } from '#/api/errors';
import { createUserManager, returnAddress } from '#/features/access/session';
import { StartFailure } from '#/features/access/StartFailure';
import { createAppRouter } from '#/routes/router';
import { loadSettings } from './settings';
import { cssVariables, theme } from './theme';

const container = document.getElementById('root');
if (container === null) throw new Error('index.html lost its root element');
const root = createRoot(container);

try {
  const settings = await loadSettings();
  const userManager = createUserManager(settings);
  const queryClient = new QueryClient({
    defaultOptions: {
      queries: {
        // What the client did wrong will not get better by asking again.
        retry: (failures, error) =>
          failures < 2 && !(error instanceof ProblemError && error.status >= 400 && error.status < 500),
        staleTime: 2_000,
      },
    },
  });
  const api = createApi(settings.apiBaseUrl, userManager);
  const router = createAppRouter({ api });
  root.render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
        <AuthProvider
          userManager={userManager}
          onSigninCallback={(user) => {
            router.history.replace(returnAddress(user));
          }}
        >
          <QueryClientProvider client={queryClient}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </AuthProvider>
      </MantineProvider>
    </StrictMode>,
  );
} catch (thrown) {
  root.render(
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <StartFailure reason={thrown instanceof Error ? thrown.message : String(thrown)} />
    </MantineProvider>,
  );
}
