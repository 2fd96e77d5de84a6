// SPDX-License-Identifier: Apache-2.0
import { Outlet, useRouteContext } from '@tanstack/react-router';
import { ApiContext } from '#/api/ApiContext';
import { RequireSession } from '#/features/access/RequireSession';
import { Shell } from './Shell';

/** Everything stands behind the log-in and inside the shell. */
export function RootRoute() {
  const { api } = useRouteContext({ from: '__root__' });

  return (
    <RequireSession>
      <ApiContext value={api}>
        <Shell>
          <Outlet />
        </Shell>
      </ApiContext>
    </RequireSession>
  );
}
