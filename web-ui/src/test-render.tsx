// SPDX-License-Identifier: Apache-2.0
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactElement } from 'react';
import createClient from 'openapi-fetch';
import { ApiContext } from './api/ApiContext';
import type { paths } from './api/generated/schema';
import { theme } from './theme';

/** Renders a view with the product's theme and without animations. */
export function renderView(view: ReactElement) {
  return render(
    <MantineProvider theme={theme} env="test">
      {view}
    </MantineProvider>,
  );
}

/** A view that talks to the API; `answer` plays the API. */
export function renderWithApi(
  view: ReactElement,
  answer: (request: Request) => Response | Promise<Response>,
) {
  const api = createClient<paths>({
    baseUrl: 'http://api.test',
    fetch: (request) => Promise.resolve(answer(request)),
  });
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return renderView(
    <QueryClientProvider client={queryClient}>
      <ApiContext value={api}>{view}</ApiContext>
    </QueryClientProvider>,
  );
}
