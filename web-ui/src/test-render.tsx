// SPDX-License-Identifier: Apache-2.0
import { MantineProvider } from '@mantine/core';
import { render } from '@testing-library/react';
import type { ReactElement } from 'react';
import { theme } from './theme';

/** Renders a view with the product's theme and without animations. */
export function renderView(view: ReactElement) {
  return render(
    <MantineProvider theme={theme} env="test">
      {view}
    </MantineProvider>,
  );
}
