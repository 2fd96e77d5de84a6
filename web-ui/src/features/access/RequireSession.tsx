// SPDX-License-Identifier: Apache-2.0
import { Center, Loader } from '@mantine/core';
import type { ReactNode } from 'react';
import { useAuth } from 'react-oidc-context';
import { SignInPage } from './SignInPage';

/** Shows its children to people who are logged in, the log-in page to all others. */
export function RequireSession({ children }: { children: ReactNode }) {
  const auth = useAuth();

  if (auth.isAuthenticated) return children;
  if (auth.isLoading && auth.activeNavigator === undefined) {
    return (
      <Center mih="100dvh" role="status" aria-label="Checking the session">
        <Loader />
      </Center>
    );
  }
  return <SignInPage />;
}
