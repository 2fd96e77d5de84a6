// SPDX-License-Identifier: Apache-2.0
import { type User, UserManager } from 'oidc-client-ts';
import type { Settings } from '#/settings';

export const callbackPath = '/auth/callback';

/**
 * Authorization code with PKCE. The scope `organization` brings the organization's id, from which the API tells the
 * tenant. Tokens live in the tab's session storage and are renewed by refresh token before they expire.
 */
export function createUserManager(settings: Settings): UserManager {
  return new UserManager({
    authority: settings.issuer,
    client_id: settings.clientId,
    redirect_uri: `${window.location.origin}${callbackPath}`,
    post_logout_redirect_uri: `${window.location.origin}/`,
    scope: 'openid organization',
    automaticSilentRenew: true,
    requestTimeoutInSeconds: 10,
  });
}

interface SignInState {
  returnTo: string;
}

/** What to remember over the trip to the log-in page. */
export function signInState(): SignInState {
  const { pathname, search } = window.location;
  return { returnTo: pathname === callbackPath ? '/' : `${pathname}${search}` };
}

/** Where to go after log-in; never another origin, whatever the state says. */
export function returnAddress(user: User | undefined): string {
  const state: unknown = user?.state;
  if (typeof state !== 'object' || state === null || !('returnTo' in state)) return '/';
  const { returnTo } = state;
  return typeof returnTo === 'string' && /^\/(?![/\\])/.test(returnTo) ? returnTo : '/';
}
